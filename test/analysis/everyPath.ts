import type { Account } from '../../src/ledger/account.ts'
import type { AssetId } from '../../src/ledger/asset.ts'

/** What a path needs to know of a transfer; in an array they stand in ledger order. */
export interface Step {
  readonly id: string
  readonly tx: string
  readonly asset: AssetId
  readonly from?: Account
  readonly to?: Account
  readonly amount: bigint
  readonly time: number
}

export interface PathRules {
  readonly from: readonly Account[]
  readonly backward: boolean
  readonly follows: (asset: AssetId) => boolean
  /** Whether money goes no further at an account, at a time in seconds. */
  readonly isStop: (account: Account, time: number) => boolean
  /** Accounts at which paths end, and which none passes through. */
  readonly ends?: readonly Account[]
  readonly mostHops?: number
}

/**
 * Every path in the order of time by plain trial: no address twice, each transfer after the one before, another asset
 * only in another transaction, nothing beyond a stop. Backward: paths that end at `from`, built from their ends.
 * Shares no code with the program. Exponential: for ledgers of some dozen transfers.
 *
 * @returns each path as places in `steps`, from where it was begun.
 */
export function everyPath(steps: readonly Step[], rules: PathRules): number[][] {
  const found: number[][] = []
  const places = steps.map((_, place) => place)
  const inOrder = rules.backward ? places.reverse() : places
  const payer = (step: Step) => (rules.backward ? step.to : step.from)
  const receiver = (step: Step) => (rules.backward ? step.from : step.to)

  function extend(path: readonly number[], seen: readonly Account[]): void {
    if (path.length >= (rules.mostHops ?? Number.POSITIVE_INFINITY)) return
    const last = path.at(-1)
    const before = last === undefined ? undefined : steps[last]
    const begin = last === undefined ? 0 : inOrder.indexOf(last) + 1
    for (const place of inOrder.slice(begin)) {
      const step = steps[place] as Step
      const to = receiver(step)
      if (payer(step) !== seen.at(-1) || to === undefined || seen.includes(to)) continue
      if (step.amount === 0n || !rules.follows(step.asset)) continue
      if (before && before.asset !== step.asset && before.tx === step.tx) continue
      if (rules.ends && rules.from.includes(to)) continue
      const longer = [...path, place]
      found.push(longer)
      if (!rules.isStop(to, step.time) && !rules.ends?.includes(to)) extend(longer, [...seen, to])
    }
  }

  for (const account of new Set(rules.from)) extend([], [account])
  return found
}

export interface Ranked {
  readonly ids: readonly string[]
  /** In the order of the search: places count from its side, so that less is better everywhere. */
  readonly places: readonly number[]
  readonly least: bigint
}

/** Best first; written down from the definition, without anything of the program. */
export function ranked(
  steps: readonly Step[],
  found: readonly number[][],
  rule: { by: 'hops' | 'arrival' | 'bottleneck'; backward: boolean },
) {
  const rows = found.map((path): Ranked => {
    const amounts = path.map((place) => steps[place]?.amount ?? 0n)
    const ids = path.map((place) => steps[place]?.id ?? '')
    return {
      ids: rule.backward ? ids.reverse() : ids,
      places: rule.backward ? path.map((place) => -place) : path,
      least: amounts.toSorted((x, y) => (x < y ? -1 : 1))[0] ?? 0n,
    }
  })
  return rows.sort((a, b) => {
    if (rule.by === 'bottleneck' && a.least !== b.least) return a.least > b.least ? -1 : 1
    const last = (a.places.at(-1) ?? 0) - (b.places.at(-1) ?? 0)
    if (rule.by === 'arrival' && last !== 0) return last
    if (a.places.length !== b.places.length) return a.places.length - b.places.length
    const back = [a, b].map(({ places }) => places.toReversed()) as [number[], number[]]
    const unlike = back[0].findIndex((place, i) => place !== back[1][i])
    return (back[0][unlike] ?? 0) - (back[1][unlike] ?? 0)
  })
}
