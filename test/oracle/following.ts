import type { Account } from '../../src/ledger/account.ts'
import { faceOf, hasLot, type Parcel } from './parcels.ts'
import type { Fraction } from './question.ts'

/** Which addresses are followed, and when a lot last came to an account (design 8.2). */
export interface Following {
  readonly isFollowed: (account: Account) => boolean
  /** "An outflow more than maxIdle seconds after the last arrival of a lot in its account." */
  readonly isIdle: (account: Account, asset: string, time: number) => boolean
  /** Lots came to an address from elsewhere. */
  readonly reach: (account: Account, parts: readonly Parcel[]) => void
  /** Lots came to an account, from elsewhere or by a conversion. */
  readonly note: (account: Account, asset: string, time: number, parts: readonly Parcel[]) => void
}

/**
 * @param options.always - receivers of seeds.
 * @param options.decide - what a judgement of amounts counts as; see `PassInput`.
 */
export function createFollowing(options: {
  readonly always: Iterable<string>
  readonly minShare: Fraction
  readonly halvings: bigint
  readonly seedTotal: bigint
  readonly maxIdle: number | undefined
  readonly decide: (judge: () => boolean) => boolean
}): Following {
  const { minShare, halvings, seedTotal, maxIdle, decide } = options
  const followed = new Set<string>(options.always)
  const reached = new Map<Account, bigint>()
  const lastLot = new Map<string, number>()
  return {
    isFollowed: (account) => decide(() => followed.has(account)),
    isIdle: (account, asset, time) =>
      decide(() => {
        const last = lastLot.get(`${account} ${asset}`)
        // Backward the last arrival is the later one.
        return maxIdle !== undefined && last !== undefined && Math.abs(time - last) > maxIdle
      }),
    reach(account, parts) {
      if (!hasLot(parts)) return
      const face = (reached.get(account) ?? 0n) + faceOf(parts)
      reached.set(account, face)
      // "From the event at which the face value that ever reached it attains s × seed."
      const needed = seedTotal * minShare.numerator
      if (face * minShare.denominator * 2n ** halvings >= needed) followed.add(account)
    },
    note(account, asset, time, parts) {
      if (hasLot(parts)) lastLot.set(`${account} ${asset}`, time)
    },
  }
}
