import type { Account } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import { type ChainId, isEvm } from '../ledger/chain.ts'
import {
  type BlockInterval,
  type Coverage,
  type CoverageOfMany,
  gapsIn,
  joinIntervals,
} from '../ledger/coverage.ts'
import type { Assurance } from '../ledger/reconcile.ts'
import type { Kind } from '../ledger/transfer.ts'

/** Whether what left an account can be known: coverage by account and by what an asset moves with. */
export interface CoverageView {
  /**
   * How far the account is covered without a gap from a block on, for every kind by which the asset can leave it, or
   * come to it, and how well: by its weakest block, each as well as its best claim has it.
   *
   * @returns undefined where the block itself is not covered.
   */
  through(
    account: Account,
    asset: AssetId,
    from: { readonly fromBlock: number; readonly side: 'out' | 'in' },
  ): { readonly block: number; readonly assurance: Assurance } | undefined
  /** Highest block that any claim on the chain reaches; −1 without claims. */
  highest(chain: ChainId): number
}

/** Kinds by which an asset leaves an account, a native coin also by calls and fees, or comes to it. */
function kindsOf(asset: AssetId, side: 'out' | 'in'): readonly Kind[] {
  if (!/\/slip44:/.test(asset)) return ['token']
  if (!isEvm(asset as unknown as ChainId)) return ['native']
  return side === 'out' ? ['native', 'internal', 'fee'] : ['native', 'internal']
}

interface Claim extends BlockInterval {
  readonly assurance: Assurance
}

/**
 * @param claims - as `Store.coverageClaims` gives them.
 */
export function createCoverageView(claims: readonly (Coverage | CoverageOfMany)[]): CoverageView {
  const single = new Map<string, Claim[]>()
  const highest = new Map<string, number>()
  const many: { readonly claim: CoverageOfMany; readonly accounts: ReadonlySet<Account> }[] = []
  for (const claim of claims) {
    const chain =
      'accounts' in claim ? claim.chain : claim.account.slice(0, claim.account.lastIndexOf(':'))
    highest.set(chain, Math.max(highest.get(chain) ?? -1, claim.toBlock))
    if ('accounts' in claim) many.push({ claim, accounts: new Set(claim.accounts) })
    else {
      const key = `${claim.account} ${claim.kind}`
      const known = single.get(key)
      if (known) known.push(intervalOf(claim))
      else single.set(key, [intervalOf(claim)])
    }
  }

  function claimsFor(account: Account, kind: Kind): Claim[] {
    const shared = many.filter(
      ({ claim, accounts }) => claim.kinds.includes(kind) && accounts.has(account),
    )
    return [
      ...(single.get(`${account} ${kind}`) ?? []),
      ...shared.map(({ claim }) => intervalOf(claim)),
    ]
  }

  return {
    through(account, asset, { fromBlock, side }) {
      let block = Number.POSITIVE_INFINITY
      let assurance: Assurance = 3
      for (const kind of kindsOf(asset, side)) {
        const known = claimsFor(account, kind)
        const interval = joinIntervals(known).find(
          ({ from, to }) => from <= fromBlock && fromBlock <= to,
        )
        if (!interval) return undefined
        block = Math.min(block, interval.to)
        const level = assuranceOver(known, { from: fromBlock, to: interval.to })
        if (level < assurance) assurance = level
      }
      return { block, assurance }
    },
    highest: (chain) => highest.get(chain) ?? -1,
  }
}

/** The weakest block counts, and in each block the best claim. */
function assuranceOver(claims: readonly Claim[], whole: BlockInterval): Assurance {
  const levels = [3, 2, 1] as const
  return (
    levels.find(
      (level) =>
        gapsIn(
          whole,
          claims.filter(({ assurance }) => assurance >= level),
        ).length === 0,
    ) ?? 0
  )
}

function intervalOf(claim: Coverage | CoverageOfMany): Claim {
  return { from: claim.fromBlock, to: claim.toBlock, assurance: claim.assurance }
}
