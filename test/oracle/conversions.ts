/**
 * The conversions of design 8.2 in one transaction, judged on the ledger as it happened: "per transaction and address,
 * net change per asset without the fee", credible pairs, and what is made of one, none or several of them.
 */
import type { Account } from '../../src/ledger/account.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'
import type { Fraction, OracleQuestion } from './question.ts'

/** `payer` went down in `gives` and `receiver`, mostly the same address, up in `gets`. */
export interface Exchange {
  readonly payer: Account
  readonly gives: string
  readonly given: bigint
  readonly receiver: Account
  readonly gets: string
  readonly got: bigint
}

export interface NetChange {
  readonly account: Account
  readonly asset: string
  readonly amount: bigint
}

export interface Conversions {
  readonly exchanges: readonly Exchange[]
  /** Of addresses with several credible pairs: what went down, and what went up. */
  readonly unclear: { readonly down: readonly NetChange[]; readonly up: readonly NetChange[] }
}

type Changes = Map<Account, Map<string, bigint>>

export function isPool(question: OracleQuestion, account: Account): boolean {
  return question.pools?.has(account) === true || question.wrap?.wrapper === account
}

/** Net change of each address and each asset that carries value, without fees; nothing that stayed the same. */
export function netChanges(legs: readonly Transfer[], question: OracleQuestion): Changes {
  const changes: Changes = new Map()
  for (const { from, to, asset, amount, kind } of legs) {
    if (kind === 'fee' || question.carriesValue?.(asset) === false) continue
    // "A wrapped coin's contract (its issue and burn legs are its net change …)".
    const nobody = question.wrap?.wrapped === asset ? question.wrap.wrapper : undefined
    change(changes, from ?? nobody, asset, -amount)
    change(changes, to ?? nobody, asset, amount)
  }
  return changes
}

function change(
  changes: Changes,
  account: Account | undefined,
  asset: string,
  amount: bigint,
): void {
  if (account === undefined) return
  const assets = changes.get(account) ?? new Map<string, bigint>()
  const now = (assets.get(asset) ?? 0n) + amount
  if (now === 0n) assets.delete(asset)
  else assets.set(asset, now)
  changes.set(account, assets)
}

/** Every credible pair of the transaction, stops' and pools' own ones too. */
export function crediblePairs(legs: readonly Transfer[], question: OracleQuestion): Exchange[] {
  const changes = netChanges(legs, question)
  const time = legs[0]?.time ?? 0
  const downs: NetChange[] = []
  const ups: NetChange[] = []
  for (const [account, assets] of changes) {
    for (const [asset, net] of assets) {
      if (net < 0n) downs.push({ account, asset, amount: -net })
      else ups.push({ account, asset, amount: net })
    }
  }
  return downs.flatMap((down) =>
    ups.flatMap((up): Exchange[] => {
      const pair = {
        payer: down.account,
        gives: down.asset,
        given: down.amount,
        receiver: up.account,
        gets: up.asset,
        got: up.amount,
      }
      if (pair.gives === pair.gets) return []
      const proven =
        pair.payer === pair.receiver
          ? isWrap(pair, question) ||
            throughPools(pair, changes, question) ||
            sameValue(pair, time, question)
          : isRecorded(pair, legs, question) && throughPools(pair, changes, question)
      return proven ? [pair] : []
    }),
  )
}

/** "A 1:1 wrap", either way round. */
function isWrap({ gives, given, gets, got }: Exchange, { wrap }: OracleQuestion): boolean {
  if (!wrap || given !== got) return false
  return gives === wrap.wrapped
    ? gets === wrap.native
    : gives === wrap.native && gets === wrap.wrapped
}

/** "Trusted pools took at least 90 % of its net X and …": the three inequalities of the design. */
function throughPools(pair: Exchange, changes: Changes, question: OracleQuestion): boolean {
  if (question.pools === undefined) return false
  let took = 0n
  let paid = 0n
  for (const [account, assets] of changes) {
    if (!isPool(question, account)) continue
    const x = assets.get(pair.gives) ?? 0n
    const y = assets.get(pair.gets) ?? 0n
    if (x > 0n) took += x
    if (y < 0n) paid -= y
  }
  return (
    10n * took >= 9n * pair.given &&
    10n * pair.got * took >= 9n * pair.given * paid &&
    10n * paid >= 9n * pair.got
  )
}

/** "A dated price set values the two within 10 % of the larger." */
function sameValue(pair: Exchange, time: number, question: OracleQuestion): boolean {
  const x = question.price?.(pair.gives, pair.given, time)
  const y = question.price?.(pair.gets, pair.got, time)
  if (!x || !y) return false
  const [a, b] = [x.numerator * y.denominator, y.numerator * x.denominator]
  return a < b ? 10n * a >= 9n * b : 10n * b >= 9n * a
}

/** "A recipient other than the payer needs a conversion record … from a trusted pool's event." */
function isRecorded(pair: Exchange, legs: readonly Transfer[], question: OracleQuestion): boolean {
  return (
    !isPool(question, pair.receiver) &&
    question.records?.some(
      ({ tx, pool, recipient, gets }) =>
        tx === legs[0]?.tx &&
        isPool(question, pool) &&
        recipient === pair.receiver &&
        gets === pair.gets,
    ) === true
  )
}

/** What converts in a transaction, and what nobody can say. */
export function conversionsOf(
  legs: readonly Transfer[],
  question: OracleQuestion,
  isStop: (account: Account) => boolean,
): Conversions {
  const candidates = resolved(
    crediblePairs(legs, question).filter(({ payer }) => !isStop(payer)),
    legs[0]?.tx ?? '',
    question,
  )
  const exchanges: Exchange[] = []
  const down = new Map<string, NetChange>()
  const up = new Map<string, NetChange>()
  for (const payer of new Set(candidates.map((pair) => pair.payer))) {
    const own = candidates.filter((pair) => pair.payer === payer)
    // What one address got cannot be the proceeds of two payers.
    const shared = candidates.some(
      (other) => other.payer !== payer && own.some((pair) => sameProceeds(pair, other)),
    )
    const split = own.length === 1 ? own : splitByPrice(own, legs[0]?.time ?? 0, question)
    if (split && !shared) {
      exchanges.push(...split)
      continue
    }
    for (const pair of own) {
      const given = { account: pair.payer, asset: pair.gives, amount: pair.given }
      down.set(`${given.account} ${given.asset}`, given)
      if (isStop(pair.receiver)) continue
      const got = { account: pair.receiver, asset: pair.gets, amount: pair.got }
      up.set(`${got.account} ${got.asset}`, got)
    }
  }
  return { exchanges, unclear: { down: [...down.values()], up: [...up.values()] } }
}

function sameProceeds(a: Exchange, b: Exchange): boolean {
  return a.receiver === b.receiver && a.gets === b.gets
}

/** The analyst names the asset with which the trace goes on; what she names must be a candidate. */
function resolved(pairs: readonly Exchange[], tx: string, question: OracleQuestion): Exchange[] {
  const backward = question.direction === 'backward'
  const at = (pair: Exchange): Account => (backward ? pair.receiver : pair.payer)
  const names = (pair: Exchange): boolean =>
    (backward ? pair.gives : pair.gets) === question.resolve?.get(`${tx} ${at(pair)}`)
  return pairs.filter(
    (pair) => names(pair) || !pairs.some((other) => at(other) === at(pair) && names(other)),
  )
}

/** One asset for several: the one is divided in proportion to what each of the several was worth. */
function splitByPrice(
  pairs: readonly Exchange[],
  time: number,
  question: OracleQuestion,
): Exchange[] | undefined {
  if (pairs.some(({ payer, receiver }) => payer !== receiver)) return undefined
  const gives = new Set(pairs.map((pair) => pair.gives))
  const gets = new Set(pairs.map((pair) => pair.gets))
  if (gives.size > 1 && gets.size > 1) return undefined
  const forward = gives.size === 1
  const sorted = pairs.toSorted((a, b) =>
    `${a.gives} ${a.gets}` < `${b.gives} ${b.gets}` ? -1 : 1,
  )
  const values = sorted.map((pair) =>
    forward
      ? question.price?.(pair.gets, pair.got, time)
      : question.price?.(pair.gives, pair.given, time),
  )
  const parts = divided(forward ? (pairs[0]?.given ?? 0n) : (pairs[0]?.got ?? 0n), values)
  if (!parts?.every((part) => part > 0n)) return undefined
  return sorted.map((pair, i) =>
    forward ? { ...pair, given: parts[i] ?? 0n } : { ...pair, got: parts[i] ?? 0n },
  )
}

/** `amount` in proportion to values, whole units by running sums; undefined where one value is unknown. */
function divided(
  amount: bigint,
  values: readonly (Fraction | undefined)[],
): readonly bigint[] | undefined {
  const known = values.filter((value) => value !== undefined)
  if (known.length < values.length) return undefined
  const common = known.reduce((all, { denominator }) => all * denominator, 1n)
  const weights = known.map(({ numerator, denominator }) => (numerator * common) / denominator)
  const whole = weights.reduce((all, weight) => all + weight, 0n)
  if (whole === 0n) return undefined
  let running = 0n
  return weights.map((weight) => {
    const before = (amount * running) / whole
    running += weight
    return (amount * running) / whole - before
  })
}
