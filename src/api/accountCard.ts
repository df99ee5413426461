import type { ValueTokens } from '../analysis/stops.ts'
import type { Graph } from '../graph/graph.ts'
import { type Account, formatAccount } from '../ledger/account.ts'
import { type AssetId, formatAsset, parseAsset } from '../ledger/asset.ts'
import type { Coverage } from '../ledger/coverage.ts'
import { harmlessText } from '../ledger/text.ts'
import { readFlag } from '../store/flags.ts'
import { reliableCoverage } from '../store/proofs.ts'
import { readTokenMetadata, type TokenMetadata } from '../store/tokenMetadata.ts'
import type { Knowledge } from './knowledge.ts'

export interface AccountCard {
  readonly account: string
  readonly flagged: boolean
  /** True when the store has a transfer of it. Empty is not clean: look at the coverage. */
  readonly known: boolean
  readonly balances: readonly {
    readonly asset: string
    /** Base units; what the stored transfers leave, payments beyond the balance counted as what was missing. */
    readonly balance: string
    readonly received: number
    readonly sent: number
    readonly carriesValue: 'trusted' | 'opaque' | 'seed' | null
    /** What the contract of a token that no list knows says of itself, made harmless; null where it was not asked. */
    readonly claims: TokenMetadata | null
  }[]
  readonly balancesCut: boolean
  readonly firstSeen: number | null
  readonly lastSeen: number | null
  readonly tags: readonly {
    readonly label: string
    readonly category: string
    readonly source: string
    readonly confidence: number
  }[]
  readonly coverage: readonly Omit<Coverage, 'account'>[]
}

type Held = Pick<AccountCard, 'known' | 'balancesCut' | 'firstSeen' | 'lastSeen'> & {
  readonly balances: readonly Omit<AccountCard['balances'][number], 'claims'>[]
}

/** Assets beyond this many are left out and said to be: spammed wallets hold thousands. */
const mostAssets = 500

/** What the store knows of an account, from the newest generation. */
export async function accountCard(knowledge: Knowledge, account: Account): Promise<AccountCard> {
  const { tags, tokens } = await knowledge.attribution()
  const held = await knowledge.read((graph) => holdingsOf(graph, account, tokens))
  const coverage = await reliableCoverage(knowledge.store, account)
  const balances = await Promise.all(
    held.balances.map(async (balance) => ({
      ...balance,
      claims: await claimsOf(knowledge, balance),
    })),
  )
  return {
    account: formatAccount(account),
    flagged: (await readFlag(knowledge.store, account)) !== undefined,
    ...held,
    balances,
    tags: tags
      .of(account)
      .map(({ label, category, source, confidence }) => ({ label, category, source, confidence })),
    coverage: coverage.map(({ account: _, ...claim }) => claim),
  }
}

async function claimsOf(
  { store }: Knowledge,
  { asset, carriesValue }: Pick<AccountCard['balances'][number], 'asset' | 'carriesValue'>,
): Promise<TokenMetadata | null> {
  const claims =
    carriesValue === null ? await readTokenMetadata(store, parseAsset(asset)) : undefined
  if (!claims) return null
  const harmless = (text: string | null): string | null => text && harmlessText(text)
  return { ...claims, name: harmless(claims.name), symbol: harmless(claims.symbol) }
}

/** What the transfers of an account say. */
function holdingsOf(graph: Graph, account: Account, tokens: ValueTokens): Held {
  const address = graph.address(account)
  const holdings = address < 0 ? [] : range(graph.holdingsOf(address))
  const shown = holdings.slice(0, mostAssets)
  const times = holdings.flatMap((holding) => endsOf(graph, holding))
  return {
    known: address >= 0,
    balances: shown.map((holding) => {
      const asset = graph.assets[graph.assetOf(holding)] as AssetId
      return {
        asset: formatAsset(asset),
        ...countsOf(graph, holding),
        carriesValue: tokens.carriesValue(asset, '' as AssetId) ?? null,
      }
    }),
    balancesCut: holdings.length > shown.length,
    firstSeen: times.length === 0 ? null : Math.min(...times),
    lastSeen: times.length === 0 ? null : Math.max(...times),
  }
}

function range({ start, end }: { readonly start: number; readonly end: number }): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i)
}

function countsOf(
  graph: Graph,
  holding: number,
): { balance: string; received: number; sent: number } {
  const events = graph.events(holding)
  let received = 0
  for (const transfer of events) if (graph.to(transfer) === holding) received++
  return {
    balance: graph.balanceBefore(holding, events.length).toString(),
    received,
    sent: events.length - received,
  }
}

function endsOf(graph: Graph, holding: number): number[] {
  const events = graph.events(holding)
  return [events[0], events.at(-1)].flatMap((transfer) =>
    transfer === undefined ? [] : [graph.block(graph.blockOf(graph.transactionOf(transfer))).time],
  )
}
