import type { Account } from '../../ledger/account.ts'
import type { AssetId } from '../../ledger/asset.ts'
import type { ChainId } from '../../ledger/chain.ts'
import { ledgerOrder } from '../../ledger/order.ts'
import { type Kind, type Transfer, type TransferId, transferId } from '../../ledger/transfer.ts'
import type { Expansion, ExpansionQuery, TouchPage, TouchQuery } from '../store.ts'
import { staleCursor } from '../touching.ts'
import { int, type Parameter, type Row, type Unit } from './connection.ts'
import { accountKey } from './keys.ts'

/**
 * Reading a neighbourhood straight from the relationships, for who has no graph in memory. One bounded statement per
 * direction for any number of accounts, each read from its own index in order of time. What is inside one moment the
 * index does not order: moments are read whole and put into ledger order here, with the whole block around them where
 * a source did not know its order.
 */

const columns = [
  'id',
  'time',
  'block',
  'txIndex',
  'asset',
  'amount',
  'from',
  'to',
  'signer',
  'blockHash',
  'flags',
  'unordered',
] as const
type Column = (typeof columns)[number]
const places = Object.fromEntries(columns.map((column, i) => [column, i])) as Record<Column, number>

export interface Reached {
  readonly transfer: Transfer
  /** Its source did not know its place in the block. */
  readonly unordered: boolean
}

/** The parts of an id that was made here; `parseTransferId` is for ids from elsewhere, and twenty times slower. */
function partsOf(id: string): Pick<Transfer, 'chain' | 'tx' | 'kind' | 'position'> {
  const chainEnd = id.indexOf(':', id.indexOf(':') + 1)
  const kindEnd = id.lastIndexOf(':')
  const txEnd = id.lastIndexOf(':', kindEnd - 1)
  return {
    chain: id.slice(0, chainEnd) as ChainId,
    tx: id.slice(chainEnd + 1, txEnd),
    kind: id.slice(txEnd + 1, kindEnd) as Kind,
    position: Number(id.slice(kindEnd + 1)),
  }
}

/** A row of `transfers-out` and its kind. Nodes of nobody have ids that are no accounts. */
export function reachedOf(row: readonly unknown[]): Reached {
  const value = (column: Column): unknown => row[places[column]]
  const text = (column: Column): string => String(value(column))
  const id = partsOf(text('id'))
  const { chain } = id
  const from = text('from')
  const to = text('to')
  const [txIndex, signer, blockHash, flags] = [
    value('txIndex'),
    value('signer'),
    value('blockHash'),
    value('flags'),
  ]
  return {
    unordered: typeof value('unordered') === 'string',
    transfer: {
      chain,
      block: Number(value('block')),
      ...(typeof blockHash === 'string' ? { blockHash } : {}),
      time: Number(value('time')),
      tx: id.tx,
      ...(txIndex === null ? {} : { txIndex: Number(txIndex) }),
      ...(typeof signer === 'string' ? { signer: signer as Account } : {}),
      kind: id.kind,
      position: id.position,
      asset: text('asset') as AssetId,
      ...(from === `${chain}:issued` ? {} : { from: from as Account }),
      ...(to === `${chain}:gone` ? {} : { to: to as Account }),
      amount: BigInt(text('amount')),
      flags: typeof flags === 'string' ? flags.split(' ') : [],
    },
  }
}

type Direction = 'out' | 'in'

interface Side {
  readonly account: Account
  readonly direction: Direction
  /** Time in seconds from which to read; the reading's own where absent. */
  readonly since?: number
}

interface SideRows extends Side {
  readonly rows: readonly Reached[]
  /** From this time on there may be more than was read; Infinity when all was. */
  readonly completeBefore: number
}

export async function readSides(
  unit: Unit,
  sides: readonly Side[],
  { since, limit }: { readonly since: number; readonly limit: number },
): Promise<SideRows[]> {
  const read = async (direction: Direction): Promise<SideRows[]> => {
    const wanted = sides.filter((side) => side.direction === direction)
    if (wanted.length === 0) return []
    const accounts: Parameter[] = wanted.map((side, i) => [
      accountKey(side.account),
      int(side.since ?? since),
      int(i),
    ])
    const found = await unit.run(`transfers-${direction}`, { accounts, limit: int(limit) })
    return found.map((row) => sideRows(wanted[Number(row['number'])] as Side, row, limit))
  }
  return [...(await read('out')), ...(await read('in'))]
}

function sideRows(side: Side, row: Row, limit: number): SideRows {
  const all = (row['rows'] as unknown[][]).map(reachedOf)
  const end = side.direction === 'out' ? 'from' : 'to'
  return {
    ...side,
    // Two accounts could share a key.
    rows: all.filter(({ transfer }) => transfer[end] === side.account),
    completeBefore:
      all.length < limit ? Number.POSITIVE_INFINITY : (all.at(-1)?.transfer.time ?? 0),
  }
}

/** Where a page ended: the last transfer, and how many of its moment were given before. */
interface Cursor {
  readonly time: number
  readonly id: string
}

function cursorText({ time, id }: Cursor): string {
  return Buffer.from(`${time} ${id}`).toString('base64url')
}

function readCursor(text: string): Cursor {
  const [, time = '', id = ''] =
    /^(\d{1,15}) (.+)$/.exec(Buffer.from(text, 'base64url').toString()) ?? []
  if (id === '') throw staleCursor()
  return { time: Number(time), id }
}

/** See `Store.transfersTouching`. */
export async function neo4jTouching(
  unit: Unit,
  { accounts, after, limit }: TouchQuery,
): Promise<TouchPage> {
  const cursor = after === undefined ? undefined : readCursor(after)
  const sides = [...accounts].flatMap((account): Side[] => [
    { account, direction: 'out' },
    { account, direction: 'in' },
  ])
  // Enough for most pages at once; a moment with more transfers than that is read again with room for it.
  for (let room = limit + 1; ; room *= 4) {
    const found = await readSides(unit, sides, { since: cursor?.time ?? 0, limit: room })
    const end = Math.min(...found.map(({ completeBefore }) => completeBefore))
    const rows = found.flatMap((side) => side.rows).filter((row) => row.transfer.time < end)
    // What one account of the set paid another is found from both sides.
    const unique = new Map(rows.map((row) => [transferId(row.transfer), row]))
    const page = pageOf(await ordered(unit, [...unique.values()]), { cursor, limit, end })
    if (page) return page
  }
}

/** @returns undefined when more has to be read */
function pageOf(
  rows: readonly Transfer[],
  page: { readonly cursor: Cursor | undefined; readonly limit: number; readonly end: number },
): TouchPage | undefined {
  const { cursor, limit, end } = page
  const whole = end === Number.POSITIVE_INFINITY
  const start = cursor ? rows.findIndex((row) => transferId(row) === cursor.id) + 1 : 0
  if (cursor && start === 0) {
    if (whole || cursor.time < end) throw staleCursor()
    return undefined
  }
  if (!whole && rows.length <= start + limit) return undefined
  const transfers = rows.slice(start, start + limit)
  const last = transfers.at(-1)
  if (rows.length <= start + limit || !last) return { transfers }
  return { transfers, next: cursorText({ time: last.time, id: transferId(last) }) }
}

/** See `Store.expand`. */
export async function neo4jExpansion(
  unit: Unit,
  { accounts, direction, since = 0, cap }: ExpansionQuery,
): Promise<Expansion[]> {
  const done = new Map<Account, { rows: readonly Reached[]; more: boolean }>()
  for (let room = cap + 1; done.size < accounts.size; room *= 4) {
    const open = [...accounts].filter((account) => !done.has(account))
    const sides = open.map((account): Side => ({ account, direction }))
    const read = await readSides(unit, sides, { since, limit: room })
    for (const { account, rows, completeBefore } of read) {
      const whole = rows.filter(({ transfer }) => transfer.time < completeBefore)
      const all = completeBefore === Number.POSITIVE_INFINITY
      if (all || whole.length >= cap)
        done.set(account, { rows: whole, more: !all || whole.length > cap })
    }
  }
  const inOrder = await ordered(
    unit,
    [...done.values()].flatMap(({ rows }) => rows),
  )
  const end = direction === 'out' ? 'from' : 'to'
  const groups = Map.groupBy(inOrder, (transfer) => transfer[end] as Account)
  return [...accounts].sort().map((account) => ({
    account,
    transfers: (groups.get(account) ?? []).slice(0, cap),
    more: done.get(account)?.more ?? false,
  }))
}

/** Ledger order of some transfers. Blocks whose order no source knew are read whole, since it depends on all of them. */
async function ordered(unit: Unit, reached: readonly Reached[]): Promise<Transfer[]> {
  const loose = await unorderedBlocks(unit, reached)
  if (loose.size === 0) return ledgerOrder(reached.map(({ transfer }) => transfer))
  const asked = new Set(reached.map(({ transfer }) => transferId(transfer)))
  const rows = new Map<TransferId, Transfer>()
  for (const { transfer } of reached) rows.set(transferId(transfer), transfer)
  const times = [...new Set(loose.values())].map((time) => int(time))
  for (const row of await unit.run('transfers-at', { times })) {
    const { transfer } = reachedOf(row['row'] as unknown[])
    if (loose.has(blockName(transfer))) rows.set(transferId(transfer), transfer)
  }
  return ledgerOrder([...rows.values()]).filter((transfer) => asked.has(transferId(transfer)))
}

/** Blocks among these with a transfer whose place its source did not know, and their times. */
export async function unorderedBlocks(
  unit: Unit,
  reached: readonly Reached[],
): Promise<ReadonlyMap<string, number>> {
  const known = reached.some(({ unordered }) => unordered)
  if (!known && (await unit.run('any-unordered')).length === 0) return new Map()
  const times = new Map(reached.map(({ transfer }) => [blockName(transfer), transfer.time]))
  const found = new Set(
    reached.filter(({ unordered }) => unordered).map(({ transfer }) => blockName(transfer)),
  )
  const asked = [...times.keys()].filter((name) => !found.has(name))
  if (asked.length > 0) {
    for (const row of await unit.run('unordered-blocks', { blocks: asked }))
      found.add(String(row['found']))
  }
  return new Map([...found].map((name) => [name, times.get(name) ?? 0]))
}

/** As the property `unordered` names it. */
export function blockName({ chain, block }: Pick<Transfer, 'chain' | 'block'>): string {
  return `${chain} ${block}`
}
