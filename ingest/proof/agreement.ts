import { type Account, accountChain } from '../../src/ledger/account.ts'
import { type BlockInterval, gapsIn, joinIntervals } from '../../src/ledger/coverage.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import { type Kind, type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { dispute, noteReading, settleDisputes } from '../../src/store/proofs.ts'
import type { Store } from '../../src/store/store.ts'
import type { ChainReader, ReadTransactions } from '../rpc/chainReader.ts'
import { RpcRefusal } from '../rpc/node.ts'

/** A reader with the name of its endpoint. */
export interface NamedReader {
  readonly name: string
  readonly reader: ChainReader
}

export interface RangeToAgreeOn {
  readonly store: Store
  readonly account: Account
  readonly range: BlockInterval
  readonly kinds: readonly Kind[]
  readonly readers: readonly [NamedReader, NamedReader]
  readonly signal: AbortSignal
  readonly tell: (event: AgreementEvent) => void
}

export type AgreementEvent =
  | {
      readonly event: 'agreed'
      readonly fromBlock: number
      readonly toBlock: number
      readonly left: number
      readonly transfers: number
    }
  | {
      readonly event: 'disagreed'
      readonly fromBlock: number
      readonly toBlock: number
      readonly text: string
    }

/** What a run did; what the two had agreed on before is not read again. */
export interface Agreement {
  readonly transfers: number
  readonly agreedBlocks: number
  readonly disputedBlocks: number
}

const blocksAtOnce = 256

/** Differences told in words; the rest is counted. */
const mostTold = 5

/**
 * Reads a range from two endpoints and claims assurance 2 for the pieces in which both tell the same transfers, of the same
 * blocks; any difference leaves the piece unclaimed and is recorded. What both cannot tell completely is not claimed.
 *
 * @throws KnownError `proof.unanchored` when both are one endpoint; `rpc.*`
 */
export async function agreeOnRange(given: RangeToAgreeOn): Promise<Agreement> {
  const [one, other] = given.readers
  if (one.name === other.name) {
    throw new KnownError('proof.unanchored', 'both endpoints are one', {
      hint: 'Give two nodes of different operators.',
    })
  }
  // Also what is not asked for must agree: rows of whole transactions are stored.
  const common = one.reader.complete.filter((kind) => other.reader.complete.includes(kind))
  const kinds = given.kinds.filter((kind) => common.includes(kind))
  const agreed: BlockInterval[] = []
  const done = { transfers: 0, agreedBlocks: 0, disputedBlocks: 0 }
  if (kinds.length === 0) return done
  try {
    for await (const { piece, told } of piecesOf(given, await openRanges(given, kinds))) {
      const differences =
        'contradiction' in told
          ? kinds.map((kind) => ({ kind, text: told.contradiction }))
          : differencesOf(told, [one.name, other.name], common)
      const blocks = piece.to - piece.from + 1
      if ('contradiction' in told || differences.length > 0) {
        await disagree(given, piece, differences)
        done.disputedBlocks += blocks
        continue
      }
      const transfers = told[0].transfers.filter(({ kind }) => common.includes(kind))
      await agree(given, piece, { kinds, transfers })
      agreed.push(piece)
      done.agreedBlocks += blocks
      done.transfers += transfers.length
    }
  } finally {
    await noteAgreement(given, kinds, agreed)
  }
  return done
}

interface ReadPiece {
  readonly piece: BlockInterval
  readonly told: BothRead | { readonly contradiction: string }
}

type BothRead = readonly [ReadTransactions, ReadTransactions]

/** What these two have not agreed on already, in a run that was stopped or an earlier one. */
async function openRanges(
  { store, account, range, readers }: RangeToAgreeOn,
  kinds: readonly Kind[],
): Promise<BlockInterval[]> {
  const source = sourceOf(readers)
  const claims = (await store.coverage(new Set([account]))).filter(
    (claim) => claim.source === source && claim.assurance === 2,
  )
  const gaps = kinds.flatMap((kind) =>
    gapsIn(
      range,
      claims
        .filter((claim) => claim.kind === kind)
        .map(({ fromBlock: from, toBlock: to }) => ({ from, to })),
    ),
  )
  return joinIntervals(gaps)
}

/** Two endpoints together are one source, whichever is named first. */
function sourceOf(readers: RangeToAgreeOn['readers']): string {
  return readers
    .map(({ name }) => name)
    .sort()
    .join('+')
}

/** Ranges in pieces that both endpoints take. */
async function* piecesOf(
  given: RangeToAgreeOn,
  ranges: readonly BlockInterval[],
): AsyncGenerator<ReadPiece> {
  let size = blocksAtOnce
  for (const range of ranges) {
    for (let from = range.from; from <= range.to; ) {
      given.signal.throwIfAborted()
      const piece = { from, to: Math.min(from + size - 1, range.to) }
      const told = await readBoth(given, piece)
      if (told === 'too large') {
        size = Math.max(1, size >> 1)
        continue
      }
      if ('contradiction' in told) {
        yield { piece, told }
        from = piece.to + 1
        continue
      }
      // Either may have stopped early, where a piece held more than is read at once.
      const to = Math.min(piece.to, ...told.map(({ through }) => through ?? piece.to))
      yield { piece: { from, to }, told: [upTo(told[0], to), upTo(told[1], to)] }
      from = to + 1
    }
  }
}

function upTo(read: ReadTransactions, to: number): ReadTransactions {
  return { ...read, transfers: read.transfers.filter(({ block }) => block <= to) }
}

/** Also of a run that is stopped. */
async function noteAgreement(
  { store, account, readers }: RangeToAgreeOn,
  kinds: readonly Kind[],
  agreed: readonly BlockInterval[],
): Promise<void> {
  const endpoints = readers.map(({ name }) => name).sort()
  for (const { from, to } of joinIntervals(agreed)) {
    await noteReading(store, {
      account,
      kinds,
      fromBlock: from,
      toBlock: to,
      assurance: 2,
      source: sourceOf(readers),
      endpoints,
      at: new Date().toISOString(),
    })
  }
}

async function readBoth(
  { account, readers }: RangeToAgreeOn,
  piece: BlockInterval,
): Promise<ReadPiece['told'] | 'too large'> {
  try {
    return await Promise.all([
      readers[0].reader.read([account], piece),
      readers[1].reader.read([account], piece),
    ])
  } catch (error) {
    if (error instanceof RpcRefusal && piece.from < piece.to) return 'too large'
    // One of the two tells what cannot be: that is no agreement either.
    if (error instanceof KnownError && error.code === 'rpc.invalid-answer')
      return { contradiction: error.message }
    throw error
  }
}

/** Each with the transfer and who tells it, by kind. */
interface Difference {
  readonly kind: Kind
  readonly text: string
}

function differencesOf(
  [one, other]: readonly [ReadTransactions, ReadTransactions],
  names: readonly [string, string],
  kinds: readonly Kind[],
): Difference[] {
  const [mine, theirs] = [one, other].map(
    ({ transfers }) =>
      new Map(
        transfers
          .filter(({ kind }) => kinds.includes(kind))
          .map((transfer) => [contentOf(transfer), transfer]),
      ),
  ) as [Map<string, Transfer>, Map<string, Transfer>]
  const missing = (
    from: ReadonlyMap<string, Transfer>,
    told: ReadonlyMap<string, Transfer>,
    [by, not]: readonly [string, string],
  ): Difference[] =>
    [...told]
      .filter(([content]) => !from.has(content))
      .map(([content, { kind }]) => ({ kind, text: `${by} tells ${content}, ${not} does not` }))
  return [
    ...missing(theirs, mine, [names[0], names[1]]),
    ...missing(mine, theirs, [names[1], names[0]]),
  ]
}

function contentOf(t: Transfer): string {
  return `${transferId(t)} in block ${t.block} ${t.blockHash ?? ''}: ${t.amount} of ${t.asset} from ${t.from ?? 'nobody'} to ${t.to ?? 'nobody'}, signed by ${t.signer ?? 'nobody'}`
}

async function agree(
  { store, account, readers, range, tell }: RangeToAgreeOn,
  piece: BlockInterval,
  told: { readonly kinds: readonly Kind[]; readonly transfers: readonly Transfer[] },
): Promise<void> {
  const source = sourceOf(readers)
  const claim = { account, fromBlock: piece.from, toBlock: piece.to, assurance: 2 as const, source }
  await store.append({
    transfers: told.transfers,
    source,
    assurance: 2,
    coverage: told.kinds.map((kind) => ({ ...claim, kind })),
  })
  await settleDisputes(
    store,
    account,
    ({ what, fromBlock, toBlock }) =>
      what === 'disagreement' && fromBlock >= piece.from && toBlock <= piece.to,
  )
  tell({
    event: 'agreed',
    fromBlock: piece.from,
    toBlock: piece.to,
    left: range.to - piece.to,
    transfers: told.transfers.length,
  })
}

async function disagree(
  { store, account, readers, tell }: RangeToAgreeOn,
  piece: BlockInterval,
  differences: readonly Difference[],
): Promise<void> {
  const told = differences.slice(0, mostTold).map(({ text }) => text)
  const rest = differences.length - told.length
  const text = `blocks ${piece.from}-${piece.to} of ${accountChain(account)}: ${told.join('; ')}${rest > 0 ? `; and ${rest} more differences` : ''}`
  await dispute(store, {
    account,
    kinds: [...new Set(differences.map(({ kind }) => kind))].sort(),
    fromBlock: piece.from,
    toBlock: piece.to,
    what: 'disagreement',
    asset: null,
    amount: null,
    text,
    endpoints: readers.map(({ name }) => name),
    at: new Date().toISOString(),
  })
  tell({ event: 'disagreed', fromBlock: piece.from, toBlock: piece.to, text })
}
