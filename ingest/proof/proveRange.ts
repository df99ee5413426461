import { type Account, accountChain } from '../../src/ledger/account.ts'
import type { AssetId } from '../../src/ledger/asset.ts'
import type { BlockInterval } from '../../src/ledger/coverage.ts'
import type { Finding } from '../../src/ledger/reconcile.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { appendDocument } from '../../src/store/documentLog.ts'
import { dispute, noteReading, settleDisputes, type VouchedBlock } from '../../src/store/proofs.ts'
import type { Store } from '../../src/store/store.ts'
import type { RpcNode } from '../rpc/node.ts'
import { invalidAnswer } from '../rpc/values.ts'
import { type FoundInBlock, findInBlock, type Look, type ProvableKind } from './accountInBlock.ts'
import { type GivenAnchor, vouchFor } from './anchorage.ts'
import { type BlockHeader, proveHeader } from './blockHeader.ts'
import { type BlockReader, createBlockReader } from './blockReader.ts'
import { storedTransfers } from './storedTransfers.ts'

/** Source of proven rows and claims: the chain itself, whoever handed its blocks over. */
export const proofSource = 'proof'

/** Blocks proven and stored at once. A run that is stopped goes on behind the last such piece. */
const blocksAtOnce = 32

export interface RangeToProve {
  readonly store: Store
  readonly account: Account
  readonly range: BlockInterval
  readonly kinds: readonly ProvableKind[]
  /** The first is read; the others vouch for the block that the proof hangs on. */
  readonly endpoints: readonly [RpcNode, ...RpcNode[]]
  /** Given by the operator. */
  readonly anchors: readonly GivenAnchor[]
  readonly isWrapped: (asset: AssetId) => boolean
  readonly isEthereum: boolean
  readonly signal: AbortSignal
  readonly tell: (event: RangeProofEvent) => void
}

export type RangeProofEvent =
  | { readonly event: 'vouched'; readonly block: number; readonly by: readonly string[] }
  | {
      readonly event: 'proven'
      readonly fromBlock: number
      readonly toBlock: number
      /** Blocks that are left. */
      readonly left: number
      /** Blocks so far whose receipts had to be read. */
      readonly hits: number
      /** Proven transfers so far. */
      readonly transfers: number
    }
  | { readonly event: 'finding'; readonly text: string }

/** What a run did; a run that goes on where another stopped counts its own. */
export interface RangeProof {
  readonly transfers: number
  /** Blocks whose receipts had to be read. */
  readonly hits: number
  readonly findings: number
}

/** Where a stopped run goes on: the next block down, and the hash that it must have. */
interface Place {
  readonly next: number
  readonly hash: string
  readonly anchor: VouchedBlock
}

/**
 * Proves from the headers, each chained to the next by its hash, that an account has these transfers in a range and no
 * others (assurance 3). Goes down from the block that is vouched for; each piece is stored as soon as it is proven, so
 * that a stopped run goes on there.
 *
 * Cost: one call for each block, and one for the receipts of each block that has, or may have, something of the account.
 *
 * @throws KnownError `rpc.invalid-answer` at the first thing that cannot be right: nothing of that piece is stored;
 *   `proof.unanchored`, `proof.unsupported`, `rpc.*`
 */
export async function proveRange(given: RangeToProve): Promise<RangeProof> {
  const { store, account, range, kinds } = given
  const reader = createBlockReader(given.endpoints[0])
  const look = lookOf(given, reader)
  const suspects = await storedTransactions(given)
  const progress = await openProgress(given)
  let place = progress.known ?? (await firstPlace(given, reader))
  given.tell({ event: 'vouched', block: place.anchor.block, by: place.anchor.by })
  const done = { transfers: 0, hits: 0, findings: 0 }
  while (place.next >= range.from) {
    given.signal.throwIfAborted()
    const piece = { from: Math.max(range.from, place.next - blocksAtOnce + 1), to: place.next }
    const headers = await provenHeaders(reader, piece, {
      hash: place.hash,
      whole: kinds.some((kind) => kind === 'native' || kind === 'fee'),
      anchors: given.anchors,
    })
    const found: FoundInBlock[] = []
    for (const { header, answer } of headers.blocks) {
      const wanted = suspects.get(header.number) ?? new Set<string>()
      const inBlock = await findInBlock(header, answer, look, wanted)
      done.findings += await refute(given, header, wanted, inBlock)
      found.push(inBlock)
    }
    done.findings += await storePiece(given, piece, found)
    done.hits += found.filter(({ wasRead }) => wasRead).length
    done.transfers += found.reduce((sum, { transfers }) => sum + transfers.length, 0)
    place = { ...place, next: piece.from - 1, hash: headers.parentHash }
    await progress.save(place)
    const left = piece.from - range.from
    const { transfers, hits } = done
    given.tell({ event: 'proven', fromBlock: piece.from, toBlock: piece.to, left, hits, transfers })
  }
  await noteReading(store, {
    account,
    kinds,
    fromBlock: range.from,
    toBlock: range.to,
    assurance: 3,
    source: proofSource,
    endpoints: given.endpoints.map(({ name }) => name),
    anchor: place.anchor,
    at: new Date().toISOString(),
  })
  await progress.end()
  return done
}

function lookOf(given: RangeToProve, reader: BlockReader): Look {
  return {
    chain: accountChain(given.account),
    account: given.account,
    kinds: new Set(given.kinds),
    isWrapped: given.isWrapped,
    isEthereum: given.isEthereum,
    async wholeBlock(number) {
      const [block = {}] = await reader.blocks({ from: number, to: number }, true)
      return block
    },
    receipts: (number, transactions) => reader.receipts(number, transactions),
  }
}

/** The end of the range with its hash, chained down from an anchor above it. */
async function firstPlace(given: RangeToProve, reader: BlockReader): Promise<Place> {
  const anchor = await vouchFor(given.range.to, given.endpoints, given.anchors)
  let place = { next: anchor.block, hash: anchor.hash, anchor }
  while (place.next > given.range.to) {
    given.signal.throwIfAborted()
    const from = Math.max(given.range.to + 1, place.next - blocksAtOnce + 1)
    const { parentHash } = await provenHeaders(
      reader,
      { from, to: place.next },
      { hash: place.hash, whole: false, anchors: given.anchors },
    )
    place = { next: from - 1, hash: parentHash, anchor }
  }
  return place
}

interface ProvenHeaders {
  /** From the highest down. */
  readonly blocks: readonly {
    readonly header: BlockHeader
    readonly answer: Parameters<typeof findInBlock>[1]
  }[]
  /** What the block below must have. */
  readonly parentHash: string
}

/** Headers of a range, each with the hash that the one above names. */
async function provenHeaders(
  reader: BlockReader,
  range: BlockInterval,
  expected: {
    readonly hash: string
    readonly whole: boolean
    readonly anchors: readonly GivenAnchor[]
  },
): Promise<ProvenHeaders> {
  const answers = await reader.blocks(range, expected.whole)
  const blocks: { header: BlockHeader; answer: (typeof answers)[number] }[] = []
  let parentHash = expected.hash
  for (const [i, answer] of answers.reverse().entries()) {
    const header = proveHeader(answer, { number: range.to - i, hash: parentHash })
    const contradicted = expected.anchors.find(
      ({ block, hash }) => block === header.number && hash !== header.hash,
    )
    if (contradicted) {
      throw invalidAnswer(
        `block ${header.number} has the hash ${header.hash}, the operator's anchor says ${contradicted.hash}`,
      )
    }
    blocks.push({ header, answer })
    parentHash = header.parentHash
  }
  return { blocks, parentHash }
}

/** Rows and claims together, then what pools paid in transactions that nobody had told. */
async function storePiece(
  given: RangeToProve,
  piece: BlockInterval,
  found: readonly FoundInBlock[],
): Promise<number> {
  const { store, account, kinds } = given
  const transfers = found.flatMap((block) => block.transfers)
  const fresh = await unknownTransactions(store, transfers)
  const records = found
    .flatMap(({ payments }) => payments)
    .filter(({ chain, tx }) => fresh.has(`${chain} ${tx}`))
  if (records.length > 0) await appendDocument(store, 'conversion', { records })
  const { findings } = await store.append({
    transfers,
    source: proofSource,
    assurance: 3,
    coverage: kinds.map((kind) => ({
      account,
      kind,
      fromBlock: piece.from,
      toBlock: piece.to,
      assurance: 3 as const,
      source: proofSource,
    })),
  })
  for (const { text } of findings as readonly Finding[]) given.tell({ event: 'finding', text })
  return findings.length
}

async function unknownTransactions(
  store: Store,
  transfers: readonly Transfer[],
): Promise<ReadonlySet<string>> {
  const unknown = new Set<string>()
  for (const { chain, tx } of transfers) {
    const name = `${chain} ${tx}`
    if (!unknown.has(name) && (await store.transfersOfTransaction(chain, tx)).length === 0)
      unknown.add(name)
  }
  return unknown
}

/** Stored transactions that touch the account, by the block in which they are said to be. */
async function storedTransactions({
  store,
  account,
  range,
}: RangeToProve): Promise<Map<number, Set<string>>> {
  const found = new Map<number, Set<string>>()
  for await (const { block, tx } of storedTransfers(store, account)) {
    if (block < range.from || block > range.to || !/^0x[0-9a-f]{64}$/.test(tx)) continue
    const known = found.get(block)
    if (known) known.add(tx)
    else found.set(block, new Set([tx]))
  }
  return found
}

/** A stored transaction that its block does not have is not removed, but disputed: the ledger shows who told it. */
async function refute(
  given: RangeToProve,
  header: BlockHeader,
  wanted: ReadonlySet<string>,
  { transactions }: FoundInBlock,
): Promise<number> {
  const { store, account, endpoints } = given
  if (wanted.size === 0) return 0
  const missing = [...wanted].filter((tx) => !transactions.has(tx))
  const at = { fromBlock: header.number, toBlock: header.number }
  await settleDisputes(
    store,
    account,
    (known) => known.what === 'refuted' && known.fromBlock === header.number,
  )
  if (missing.length === 0) return 0
  const told = new Set<string>()
  for (const tx of missing) {
    const rows = await store.transfersOfTransaction(accountChain(account), tx)
    for (const { source } of await store.observations(rows.map(transferId))) told.add(source)
  }
  const text = `block ${header.number} does not have ${missing.join(', ')}, told by ${[...told].join(', ')}`
  await dispute(store, {
    account,
    kinds: ['fee', 'native', 'internal', 'token'],
    ...at,
    what: 'refuted',
    asset: null,
    amount: null,
    text,
    endpoints: endpoints.map(({ name }) => name),
    at: new Date().toISOString(),
  })
  given.tell({ event: 'finding', text })
  return missing.length
}

async function openProgress(given: RangeToProve): Promise<{
  readonly known: Place | undefined
  save(place: Place): Promise<void>
  end(): Promise<void>
}> {
  const { store, account, range, kinds } = given
  const collection = 'proof-progress'
  const id = `${account} ${range.from}-${range.to} ${[...kinds].sort().join(' ')}`
  const document = await store.readDocument(collection, id)
  let version = document?.version ?? 0
  const place = document?.value as Place | undefined
  return {
    known: place && (await isStillProven(given, place)) ? place : undefined,
    async save(place) {
      version = (await store.writeDocument(collection, id, version, place)).version
    },
    async end() {
      if (version > 0) await store.deleteDocument(collection, id, version)
    },
  }
}

/** A reorganisation may have cut what the stopped run had proven: then it begins anew. */
async function isStillProven(
  { store, account, range, kinds }: RangeToProve,
  { next }: Place,
): Promise<boolean> {
  if (next >= range.to) return false
  const claims = (await store.coverage(new Set([account]))).filter(
    ({ source, assurance }) => source === proofSource && assurance === 3,
  )
  return kinds.every((kind) =>
    claims.some(
      (claim) => claim.kind === kind && claim.fromBlock <= next + 1 && claim.toBlock >= range.to,
    ),
  )
}
