import type { Graph } from '../graph/graph.ts'
import { type Account, formatAccount } from '../ledger/account.ts'
import { type AssetId, formatAsset } from '../ledger/asset.ts'
import { KnownError } from '../ledger/errors.ts'
import { parseTransferId, parseTx, type TransferId } from '../ledger/transfer.ts'
import type { ValueTokens } from './stops.ts'

/** What a caller may name as the beginning of a trace. */
export interface SeedRequest {
  /** Transfer ids or bare transaction hashes. */
  readonly transfers: readonly string[]
  readonly accounts: readonly Account[]
  /** Which transfers of the accounts: what they received, or what they sent. */
  readonly side: 'received' | 'sent'
  readonly asset?: AssetId
  /** Window for the transfers of accounts, seconds since 1970, both ends included. */
  readonly since?: number
  readonly until?: number
  /** Per chain the block beyond which an account's transfers do not count; named ones are never left out in silence. */
  readonly asOf?: Readonly<Record<string, number>>
}

/**
 * The transfers a trace starts from, in ledger order, each once.
 *
 * A bare hash stands for the only transfer of that transaction that carries value; an account for all its positive
 * transfers on the named side, of the asset that is named or else the only one that carries value.
 *
 * @throws KnownError `seed.not-found` when one matches nothing, `seed.ambiguous` with the candidates
 */
export function resolveSeeds(
  graph: Graph,
  tokens: ValueTokens,
  request: SeedRequest,
): TransferId[] {
  const named = request.transfers.map((text) =>
    namedTransfer(graph, tokens, { text, asset: request.asset }),
  )
  const sent = request.accounts.flatMap((account) => transfersOf(graph, account, request))
  const ofAccounts = oneAsset(graph, tokens, { transfers: sent, asset: request.asset })
  const all = [...new Set([...named, ...ofAccounts])].sort((a, b) => a - b)
  return all.map((transfer) => graph.transfer(transfer).id)
}

function namedTransfer(
  graph: Graph,
  tokens: ValueTokens,
  named: { readonly text: string; readonly asset: AssetId | undefined },
): number {
  const { text } = named
  if (!/^(?:[-a-z0-9]{3,8}:[^:]+:)?0x[0-9a-fA-F]{64}$/.test(text)) {
    const id = parseTransferId(text)
    const found = graph.find(`${id.chain}:${id.tx}:${id.kind}:${id.position}` as TransferId)
    if (found < 0) throw notFound(text)
    return found
  }
  const hash = text.slice(text.lastIndexOf(':') + 1)
  const chains = text.includes(':')
    ? graph.chains.filter((chain) => text.startsWith(`${chain}:`))
    : graph.chains
  const legs = chains.flatMap((chain) => graph.findTransaction(chain, parseTx(hash, chain)))
  const candidates = legs.filter((leg) => isCandidate(graph, tokens, { leg, asset: named.asset }))
  const [only] = candidates
  if (only === undefined) throw notFound(text)
  if (candidates.length === 1) return only
  const ids = candidates.map((leg) => graph.transfer(leg).id)
  throw new KnownError(
    'seed.ambiguous',
    `transaction ${hash} has ${ids.length} transfers that carry value`,
    {
      facts: { candidates: ids.slice(0, 20).join(' ') },
      hint: 'Name one of the candidates, or the asset.',
    },
  )
}

function isCandidate(
  graph: Graph,
  tokens: ValueTokens,
  given: { readonly leg: number; readonly asset: AssetId | undefined },
): boolean {
  const { kind, asset, amount, from, to } = graph.transfer(given.leg)
  if (kind === 'fee' || amount === 0n || from === to) return false
  if (given.asset !== undefined) return asset === given.asset
  return tokens.carriesValue(asset, '' as AssetId) !== undefined
}

function notFound(text: string): KnownError {
  return new KnownError(
    'seed.not-found',
    `nothing in the store matches the seed "${text.slice(0, 200)}"`,
    {
      facts: { seed: text.slice(0, 200) },
      hint: 'Check the id, or import or ingest the transfer first.',
    },
  )
}

function transfersOf(graph: Graph, account: Account, request: SeedRequest): number[] {
  const address = graph.address(account)
  if (address < 0) throw notFound(formatAccount(account))
  const { start, end } = graph.holdingsOf(address)
  const found: number[] = []
  for (let holding = start; holding < end; holding++) {
    if (request.asset !== undefined && graph.assets[graph.assetOf(holding)] !== request.asset)
      continue
    for (const transfer of graph.events(holding)) {
      if (isOnSide(graph, transfer, { holding, request })) found.push(transfer)
    }
  }
  if (found.length === 0) throw notFound(`${formatAccount(account)} (${request.side})`)
  return found
}

function isOnSide(
  graph: Graph,
  transfer: number,
  { holding, request }: { readonly holding: number; readonly request: SeedRequest },
): boolean {
  const from = graph.from(transfer)
  const to = graph.to(transfer)
  if (from === to || graph.kind(transfer) === 'fee' || graph.amount(transfer) === 0n) return false
  if ((request.side === 'sent' ? from : to) !== holding) return false
  const { time, number, chain } = graph.block(graph.blockOf(graph.transactionOf(transfer)))
  if (number > (request.asOf?.[chain] ?? Number.POSITIVE_INFINITY)) return false
  return time >= (request.since ?? 0) && time <= (request.until ?? Number.POSITIVE_INFINITY)
}

/** Seeds of one trace are of one asset; what carries no value is left aside when the asset is not named. */
function oneAsset(
  graph: Graph,
  tokens: ValueTokens,
  given: { readonly transfers: readonly number[]; readonly asset: AssetId | undefined },
): number[] {
  if (given.asset !== undefined) return [...given.transfers]
  const byAsset = new Map<AssetId, number[]>()
  for (const transfer of given.transfers) {
    const { asset } = graph.transfer(transfer)
    byAsset.set(asset, [...(byAsset.get(asset) ?? []), transfer])
  }
  const carrying = [...byAsset].filter(
    ([asset]) => tokens.carriesValue(asset, '' as AssetId) !== undefined,
  )
  const [only] = carrying.length > 0 ? carrying : [...byAsset]
  if (only === undefined) return []
  if (carrying.length > 1 || (carrying.length === 0 && byAsset.size > 1)) {
    const names = [...byAsset.keys()].map(formatAsset)
    throw new KnownError('asset.ambiguous', `the seed addresses moved ${names.length} assets`, {
      facts: { assets: names.slice(0, 20).join(' ') },
      hint: 'Choose one with --asset: amounts of two assets are never added.',
    })
  }
  return only[1]
}
