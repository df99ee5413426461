import { movesValue, type Transfer, transferId } from '../ledger/transfer.ts'
import type { Certificate } from './certificate.ts'
import {
  type Arrival,
  becomes,
  type CertifiedLedger,
  keyOf,
  momentKey,
  momentsOf,
  placeKey,
  type Step,
} from './certifiedLedger.ts'

/**
 * Replays the accounting of a certificate: nobody passes on more than reached him, holds more than he had, or pays more
 * than the transfer; everything ends as listed, and the target gets the bound.
 *
 * @returns what is wrong, at most ten findings.
 */
export function flowFindings(ledger: CertifiedLedger, certificate: Certificate): string[] {
  const replay = new Replay(ledger, certificate)
  for (const step of ledger.steps) replay.step(step)
  return replay.finish(certificate).slice(0, 10)
}

class Replay {
  readonly #ledger: CertifiedLedger
  readonly #flow: Map<string, bigint>
  readonly #findings: string[] = []
  readonly #carried = new Map<string, bigint>()
  readonly #ends = new Map<string, bigint>()
  /** Balances that limit, by holding, while they do. */
  readonly #held: Map<string, bigint>
  readonly #until: ReadonlyMap<string, readonly string[]>
  /** Holdings that changed and were not looked at yet. */
  readonly #changed = new Set<string>()

  constructor(ledger: CertifiedLedger, { flow }: Certificate) {
    this.#ledger = ledger
    this.#flow = new Map(
      flow.map(({ kind, transfer, amount }) => [`${kind} ${transfer}`, BigInt(amount)]),
    )
    if (this.#flow.size < flow.length) this.#findings.push('the flow names something twice')
    const { balances } = ledger.premises
    this.#held = new Map(balances.map((place) => [placeKey(place), 0n]))
    const moments = Map.groupBy(balances, momentKey)
    this.#until = new Map([...moments].map(([moment, of]) => [moment, of.map(placeKey)]))
  }

  step(step: Step): void {
    for (const row of step.rows) this.#move(row)
    const moments = momentsOf(step)
    if (!step.isUnordered) {
      for (const row of step.rows) this.#lookAtPlain(row)
      this.#release(moments.filter((moment) => moment.endsWith(' transfer')))
    }
    for (const given of step.conversions) {
      const key = placeKey(given)
      const part = this.#take(`conversion ${given.transfer}`, key, BigInt(given.amount))
      this.#arrive(becomes(given), key, part)
    }
    if (!step.isLast) return
    for (const key of this.#changed) this.#lookAt(key)
    this.#release(moments)
  }

  finish({ amount, ends }: Certificate): string[] {
    const { target } = this.#ledger.premises
    for (const [key, rest] of this.#carried) {
      if (rest > 0n) add(this.#ends, `${this.#ledger.restsAs(key)} ${key}`, rest)
    }
    for (const name of this.#flow.keys()) this.#findings.push(`the ledger has no ${name} that pays`)
    const listed = new Map<string, bigint>()
    for (const end of ends) add(listed, `${end.end} ${placeKey(end)}`, BigInt(end.amount))
    for (const key of new Set([...this.#ends.keys(), ...listed.keys()])) {
      const [real = 0n, said = 0n] = [this.#ends.get(key), listed.get(key)]
      if (real !== said) this.#findings.push(`${key} gets ${real}, not ${said}`)
    }
    const there = [...this.#ends].filter(([key]) => key.startsWith(`${target} `))
    const total = there.reduce((sum, [, part]) => sum + part, 0n)
    if (total.toString() !== amount)
      this.#findings.push(`the flow brings ${total} to the target, not ${amount}`)
    return this.#findings
  }

  #move(row: Transfer): void {
    if (!movesValue(row)) return
    const id = transferId(row)
    const payer = keyOf(row.from, row.asset)
    const receiver = keyOf(row.to, row.asset)
    const place = row.to === undefined ? payer : receiver
    this.#hold(payer, -row.amount)
    this.#hold(receiver, row.amount)
    const isSeed = this.#ledger.seeds.has(id)
    if (row.from !== undefined && !this.#ledger.isSilent(row, row.from)) {
      const part = this.#take(`transfer ${id}`, payer, row.amount)
      if (isSeed) this.#arrive({ end: 'reseeded' }, payer, part)
      else this.#arrive(this.#ledger.arrival(row), place, part)
    }
    if (isSeed) this.#arrive(this.#ledger.arrival(row), place, row.amount)
  }

  #hold(key: string, amount: bigint): void {
    if (this.#held.has(key)) add(this.#held, key, amount)
    this.#changed.add(key)
  }

  #take(name: string, key: string, most: bigint): bigint {
    const part = this.#flow.get(name) ?? 0n
    this.#flow.delete(name)
    if (part > most) this.#findings.push(`${name} cannot carry ${part}`)
    if (part > 0n) add(this.#carried, key, -part)
    this.#changed.add(key)
    return part
  }

  #arrive(arrival: Arrival, place: string, part: bigint): void {
    if (part === 0n) return
    if ('end' in arrival) return add(this.#ends, `${arrival.end} ${place}`, part)
    add(this.#carried, arrival.to, part)
    this.#changed.add(arrival.to)
  }

  /** Holdings that convert in this transaction are looked at behind it. */
  #lookAtPlain(row: Transfer): void {
    for (const account of [row.from, row.to])
      if (account !== undefined && !this.#ledger.isSilent({ ...row, kind: 'token' }, account))
        this.#lookAt(keyOf(account, row.asset))
  }

  #lookAt(key: string): void {
    this.#changed.delete(key)
    const carried = this.#carried.get(key) ?? 0n
    const held = this.#held.get(key)
    if (carried < 0n) this.#findings.push(`${key} passes on more than reached it`)
    if (held !== undefined && carried > held)
      this.#findings.push(`${key} cannot have held ${carried}`)
  }

  #release(moments: readonly string[]): void {
    for (const moment of moments)
      for (const key of this.#until.get(moment) ?? []) this.#held.delete(key)
  }
}

function add(map: Map<string, bigint>, key: string, amount: bigint): void {
  map.set(key, (map.get(key) ?? 0n) + amount)
}
