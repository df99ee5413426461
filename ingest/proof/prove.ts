import type { Account } from '../../src/ledger/account.ts'
import type { AssetId } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import type { BlockInterval } from '../../src/ledger/coverage.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import type { Kind } from '../../src/ledger/transfer.ts'
import type { Store } from '../../src/store/store.ts'
import { connectChain } from '../rpc/chainReader.ts'
import type { RpcNode } from '../rpc/node.ts'
import { type ProvableKind, provableKinds } from './accountInBlock.ts'
import { type AgreementEvent, agreeOnRange } from './agreement.ts'
import { agreedBlock, type GivenAnchor } from './anchorage.ts'
import { type BalanceCheck, checkBalances } from './balances.ts'
import { type Cost, estimateCost } from './cost.ts'
import { type InclusionEvent, proveTransactionsIncluded } from './inclusion.ts'
import { proveRange, type RangeProofEvent } from './proveRange.ts'
import { storedTransfers } from './storedTransfers.ts'

/** Chains whose header, transaction and receipt forms are checked against recorded blocks of that chain. */
const provenChains: ReadonlySet<string> = new Set(['eip155:1'])

export interface ProveGiven {
  readonly store: Store
  readonly chain: ChainId
  readonly endpoints: readonly [RpcNode, ...RpcNode[]]
  readonly anchors: readonly GivenAnchor[]
  readonly isWrapped: (asset: AssetId) => boolean
  readonly isEthereum: boolean
  /** The operator states that this chain has Ethereum's forms: a private or test chain. */
  readonly likeEthereum: boolean
  /** Default: all that can be proven or agreed on. */
  readonly kinds: readonly Kind[] | undefined
  readonly tokens: ReadonlySet<AssetId>
  readonly account: Account | undefined
  readonly range: BlockInterval | undefined
  readonly transactions: readonly string[]
  readonly signal: AbortSignal
  /** False: nothing is done. */
  readonly agreesToCost: (cost: Cost) => Promise<boolean>
  readonly tell: (event: ProveEvent) => void
}

export type ProveEvent =
  | RangeProofEvent
  | AgreementEvent
  | InclusionEvent
  | { readonly event: 'unsupported'; readonly text: string }

export interface ProveReport {
  /** False when something was contradicted, or nothing could be claimed. */
  readonly ok: boolean
  /** False: the cost was not agreed to. */
  readonly began: boolean
  /** Kinds proven from the blocks (assurance 3), and those on which two endpoints agree all over the range (assurance 2). */
  readonly proven: readonly Kind[]
  readonly agreed: readonly Kind[]
  readonly transfers: number
  readonly findings: number
  readonly missing: readonly string[]
  readonly balances: readonly BalanceCheck[]
  readonly calls: number
}

const nothing: ProveReport = {
  ok: true,
  began: true,
  proven: [],
  agreed: [],
  transfers: 0,
  findings: 0,
  missing: [],
  balances: [],
  calls: 0,
}

/**
 * Proves what it is asked to, each kind as well as it can be: fees, native transfers, tokens and withdrawals from the
 * blocks (assurance 3), calls inside transactions, and everything on chains without recorded forms, by the agreement of two
 * endpoints (assurance 2); then compares balances.
 *
 * @throws KnownError `proof.*`, `rpc.*`, `store.*`
 */
export async function prove(given: ProveGiven): Promise<ProveReport> {
  const calls = (): number => given.endpoints.reduce((sum, node) => sum + node.calls, 0)
  const { account, range } = given
  const report =
    account === undefined || range === undefined
      ? await proveTransactions(given)
      : await proveAccount(given, account, range)
  return { ...report, calls: calls() }
}

async function proveTransactions(given: ProveGiven): Promise<ProveReport> {
  if (!hasForms(given)) throw unsupported(given.chain)
  const count = given.transactions.length
  const cost = { blocks: count, headersAbove: 0, calls: count * (3 + given.endpoints.length) }
  const bytesPerBlock = 600_000
  if (!(await given.agreesToCost({ ...cost, bytes: count * bytesPerBlock })))
    return { ...nothing, ok: false, began: false }
  const { transfers, missing } = await proveTransactionsIncluded(given)
  return { ...nothing, ok: missing.length === 0, transfers, missing }
}

async function proveAccount(
  given: ProveGiven,
  account: Account,
  range: BlockInterval,
): Promise<ProveReport> {
  const [first, second] = given.endpoints
  const asked = given.kinds
  const provable = provableKinds.filter((kind) => asked === undefined || asked.includes(kind))
  const proven = hasForms(given) ? provable : []
  const others = (asked ?? [...provableKinds, 'internal' as const]).filter(
    (kind) => !(proven as readonly Kind[]).includes(kind),
  )
  if (proven.length === 0 && second === undefined) throw unsupported(given.chain)
  if (!hasForms(given)) given.tell({ event: 'unsupported', text: unsupported(given.chain).message })
  if (!(await given.agreesToCost(await costOf(given, { account, range, proven, others }))))
    return { ...nothing, ok: false, began: false }
  // Before anything is claimed of blocks that are not final, or on two chains.
  if (second !== undefined) await agreedBlock(range.to, given.endpoints)
  const agreement =
    second === undefined || others.length === 0
      ? undefined
      : await agree(given, { account, range, kinds: others, endpoints: [first, second] })
  const proof =
    proven.length === 0
      ? undefined
      : await proveRange({ ...given, account, range, kinds: proven as readonly ProvableKind[] })
  const balances = await checkBalances({ ...given, account, node: first })
  const findings = (proof?.findings ?? 0) + (agreement?.disputedBlocks ?? 0)
  const differs = balances.some(({ difference }) => difference !== null && difference !== 0n)
  return {
    ...nothing,
    ok: findings === 0 && !differs,
    proven,
    agreed: agreement?.kinds ?? [],
    transfers: (proof?.transfers ?? 0) + (agreement?.transfers ?? 0),
    findings,
    balances,
  }
}

async function agree(
  given: ProveGiven,
  asked: {
    readonly account: Account
    readonly range: BlockInterval
    readonly kinds: readonly Kind[]
    readonly endpoints: readonly [RpcNode, RpcNode]
  },
): Promise<Awaited<ReturnType<typeof agreeOnRange>> & { readonly kinds: readonly Kind[] }> {
  const [one, other] = await Promise.all(
    asked.endpoints.map(async (node) => ({
      name: node.name,
      reader: await connectChain(node, given.isWrapped),
    })),
  )
  if (!one || !other) throw new RangeError('two endpoints were given')
  const kinds = asked.kinds.filter((kind) =>
    [one, other].every(({ reader }) => reader.complete.includes(kind)),
  )
  const { store, signal, tell } = given
  const { account, range } = asked
  const agreement = await agreeOnRange({
    store,
    account,
    range,
    kinds,
    readers: [one, other],
    signal,
    tell,
  })
  return { ...agreement, kinds: agreement.disputedBlocks === 0 ? kinds : [] }
}

async function costOf(
  given: ProveGiven,
  asked: {
    readonly account: Account
    readonly range: BlockInterval
    readonly proven: readonly ProvableKind[]
    readonly others: readonly Kind[]
  },
): Promise<Cost> {
  const { account, range, proven } = asked
  const blocks = new Set<number>()
  for await (const { block } of storedTransfers(given.store, account))
    if (block >= range.from && block <= range.to) blocks.add(block)
  const above = given.anchors.map(({ block }) => block).filter((block) => block >= range.to)
  return estimateCost(given.endpoints[0], range, {
    whole: proven.some((kind) => kind === 'native' || kind === 'fee'),
    logs: proven.includes('token'),
    agrees: given.endpoints.length > 1 && asked.others.length > 0,
    anchor: above.length === 0 ? range.to : Math.min(...above),
    stored: blocks.size,
  })
}

function hasForms({ chain, likeEthereum }: ProveGiven): boolean {
  return likeEthereum || provenChains.has(chain)
}

function unsupported(chain: ChainId): KnownError {
  return new KnownError(
    'proof.unsupported',
    `the forms of ${chain}'s headers and receipts are not checked against recorded blocks: its data is not proven, only agreed on`,
    {
      hint: "Give a second --rpc, so that two endpoints agree (assurance 2); for a private chain of Ethereum's own forms give --ethereum-forms.",
    },
  )
}
