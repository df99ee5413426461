import { type Account, accountReference } from '../../src/ledger/account.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { freezesThrough } from '../../src/ledger/freezes.ts'
import { finalityDepth } from '../../src/ledger/nativeCoins.ts'
import type { Kind, Transfer } from '../../src/ledger/transfer.ts'
import type { ChainReader, ReadTransactions } from '../rpc/chainReader.ts'
import { accountCell, amountCell, type Cells, cells, hashCell, wholeCell } from './cells.ts'
import { type ExplorerPlace, etherscanRows } from './etherscan.ts'
import { type WholeTransaction, withWholeExchanges } from './exchanges.ts'
import { openIssuerLogs } from './issuerLogs.ts'
import { readEach } from './readEach.ts'
import { type ExplorerRequests, refused, unbelievable } from './requests.ts'
import { type InternalRow, type TokenRow, type TransactionRow, transfersOfRows } from './rows.ts'

const erc20 = { type: 'ERC-20' }

/** Lists come newest first and cannot be cut in the middle, so an address with more rows is refused. */
const mostRows = 250_000

/**
 * Blockscout's REST API, version 2. It knows log indexes and places in traces; what its indexer has not done yet is
 * not claimed. Nobody can check it: assurance 0.
 *
 * @throws KnownError `rpc.refused`, `rpc.unavailable`
 */
export async function connectBlockscout(
  requests: ExplorerRequests,
  place: ExplorerPlace,
): Promise<ChainReader> {
  const { chain } = place
  const behind = place.behind ?? finalityDepth(chain)
  const complete = await completeKinds(requests)

  async function head(): Promise<number> {
    const number = await requests.get('blocks', { type: 'block' }, (body, status) => {
      const [newest] = items(found(body, status))
      return newest ? wholeCell(newest['height'], 'the head') : -1
    })
    if (number < 0) throw refused('it has no blocks', 'Check the URL: it ends in /api/v2.')
    return Math.max(0, number - behind)
  }

  async function list<Row>(
    path: string,
    params: Readonly<Record<string, string>>,
    range: { readonly from: number; readonly to: number },
    row: (found: Cells, chain: ChainId) => Row | undefined,
  ): Promise<Row[]> {
    const rows: Row[] = []
    for await (const page of pagesUntil(requests, path, params, range.from)) {
      const wanted = page.filter((item) => blockOf(item) >= range.from && blockOf(item) <= range.to)
      rows.push(...wanted.flatMap((item) => row(item, chain) ?? []))
      if (rows.length > mostRows)
        throw refused(`more than ${mostRows} rows of one address`, 'Read it from a node.')
    }
    return rows
  }

  // The older interface of the same server, which is Etherscan's.
  const issuers = openIssuerLogs(chain, place.freezable, (filter, { from, to }) =>
    requests.get(
      '..',
      {
        module: 'logs',
        action: 'getLogs',
        fromBlock: String(from),
        toBlock: String(to),
        ...filter,
      },
      etherscanRows,
    ),
  )

  /** Two calls, where it has at most fifty rows of each kind. */
  async function wholeTransaction({
    tx,
    block,
  }: Pick<Transfer, 'tx' | 'block'>): Promise<WholeTransaction> {
    const range = { from: block, to: block }
    const path = `transactions/${tx}`
    return {
      internals: await list(`${path}/internal-transactions`, {}, range, internalRow),
      tokens: await list(`${path}/token-transfers`, erc20, range, tokenRow),
    }
  }

  async function read(
    wallet: Account,
    range: { readonly from: number; readonly to: number },
  ): Promise<ReadTransactions> {
    const { freezes, destroyedOf } = await issuers.within(range)
    const path = `addresses/${accountReference(wallet)}`
    const rows = {
      transactions: await list(`${path}/transactions`, {}, range, transactionRow),
      internals: await list(`${path}/internal-transactions`, {}, range, internalRow),
      tokens: [
        ...(await list(`${path}/token-transfers`, erc20, range, tokenRow)),
        ...destroyedOf(wallet),
      ],
    }
    const transfers = transfersOfRows(rows, chain, place.isWrapped)
    const own = { rows, transfers, through: range.to }
    const whole = await withWholeExchanges(wallet, own, wholeTransaction)
    return {
      transfers: transfersOfRows(whole.rows, chain, place.isWrapped),
      payments: [],
      freezes: freezesThrough(freezes, whole.through),
      through: whole.through,
    }
  }

  await head()
  return {
    chain,
    name: requests.name,
    assurance: 0,
    complete,
    blocksAtOnce: Number.MAX_SAFE_INTEGER,
    head,
    // What may be replaced is not read.
    finalized: head,
    blockHash: (number) =>
      requests.get(`blocks/${number}`, {}, (body, status) =>
        status === 404
          ? undefined
          : hashCell(cells(found(body, status), 'a block')['hash'], 'a block hash'),
      ),
    read: (wallets, range) => readEach(wallets, range, read),
  }
}

/** Pages newest first, to the one that goes below a block. What a list was asked with is asked again with each page. */
async function* pagesUntil(
  requests: ExplorerRequests,
  path: string,
  params: Readonly<Record<string, string>>,
  block: number,
): AsyncGenerator<readonly Cells[]> {
  const seen = new Set<string>()
  let before = Number.POSITIVE_INFINITY
  let next: Readonly<Record<string, string>> | undefined = {}
  while (next !== undefined && before >= block) {
    const page: Page = await requests.get(path, { ...params, ...next }, pageOf)
    for (const item of page.items) {
      if (blockOf(item) > before)
        throw unbelievable(`a row of block ${blockOf(item)} is out of order`)
      before = blockOf(item)
    }
    yield page.items
    next = page.next
    const key = JSON.stringify(next ?? null)
    if (next !== undefined && seen.has(key)) throw unbelievable('a page comes after itself')
    seen.add(key)
  }
}

/** An indexer that is still at work lacks the calls inside transactions first, then whole blocks. */
async function completeKinds(requests: ExplorerRequests): Promise<Kind[]> {
  const status = await requests.get('main-page/indexing-status', {}, (body, code) =>
    cells(found(body, code), 'the indexing status'),
  )
  if (status['finished_indexing_blocks'] === false) return []
  const coins: Kind[] = ['native', 'fee', 'token']
  return status['finished_indexing'] === false ? coins : ['native', 'internal', 'fee', 'token']
}

interface Page {
  readonly items: readonly Cells[]
  readonly next: Readonly<Record<string, string>> | undefined
}

/** An address that it never saw is "not found": no rows. */
function pageOf(body: unknown, status: number): Page {
  if (status === 404 && isNotFound(body)) return { items: [], next: undefined }
  const answer = found(body, status)
  const next = cells(answer, 'a page')['next_page_params']
  return {
    items: items(answer),
    next:
      next === null || next === undefined ? undefined : textParams(cells(next, 'the next page')),
  }
}

function isNotFound(body: unknown): boolean {
  return (
    typeof body === 'object' &&
    body !== null &&
    'message' in body &&
    /^not found$/i.test(String(body.message))
  )
}

function found(body: unknown, status: number): unknown {
  if (status === 200) return body
  const message =
    typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : ''
  throw refused(`HTTP ${status} ${message}`, 'Check the URL: it ends in /api/v2.')
}

function items(answer: unknown): readonly Cells[] {
  const list = cells(answer, 'a page')['items']
  if (!Array.isArray(list)) throw unbelievable('a page has no items')
  return list.map((item) => cells(item, 'a row'))
}

function textParams(next: Cells): Record<string, string> {
  return Object.fromEntries(
    Object.entries(next).map(([name, value]) => [name, value === null ? 'null' : String(value)]),
  )
}

function blockOf(row: Cells): number {
  return wholeCell(row['block_number'] ?? row['block'], 'a block number')
}

function partyOf(value: unknown, chain: ChainId, what: string): Account | undefined {
  if (value === null || value === undefined) return undefined
  return accountCell(cells(value, what)['hash'], chain, what)
}

function placeOf(row: Cells, chain: ChainId) {
  const from = partyOf(row['from'], chain, 'the sender')
  const to =
    partyOf(row['to'], chain, 'the receiver') ??
    partyOf(row['created_contract'], chain, 'the created contract')
  return {
    block: blockOf(row),
    ...(typeof row['block_hash'] === 'string'
      ? { blockHash: hashCell(row['block_hash'], 'a block hash') }
      : {}),
    time: secondsOf(row['timestamp']),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  }
}

function secondsOf(value: unknown): number {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN
  if (Number.isFinite(ms)) return Math.floor(ms / 1000)
  throw unbelievable('a time is no time')
}

/** One that waits, or was dropped, is in no block and moved nothing. */
function transactionRow(row: Cells, chain: ChainId): TransactionRow | undefined {
  if (row['status'] === null && row['result'] === 'pending') return undefined
  return {
    ...placeOf(row, chain),
    tx: hashCell(row['hash'], 'a transaction hash'),
    txIndex: wholeCell(row['position'], 'a transaction index'),
    amount: amountCell(row['value'], 'a value'),
    fee: amountCell(cells(row['fee'], 'a fee')['value'], 'a fee'),
    failed: row['status'] === 'error',
  }
}

function internalRow(row: Cells, chain: ChainId): InternalRow {
  return {
    ...placeOf(row, chain),
    tx: hashCell(row['transaction_hash'], 'a transaction hash'),
    txIndex: wholeCell(row['transaction_index'], 'a transaction index'),
    amount: amountCell(row['value'], 'a value'),
    type: String(row['type'] ?? 'call').toLowerCase(),
    failed: row['success'] === false,
    position: wholeCell(row['index'], 'a place in the trace'),
  }
}

function tokenRow(row: Cells, chain: ChainId): TokenRow | undefined {
  if (row['token_type'] !== undefined && row['token_type'] !== 'ERC-20') return undefined
  const token = cells(row['token'], 'a token')
  const contract = accountCell(token['address_hash'] ?? token['address'], chain, 'a token contract')
  if (contract === undefined) throw unbelievable('a token row names no contract')
  return {
    ...placeOf(row, chain),
    tx: hashCell(row['transaction_hash'], 'a transaction hash'),
    amount: amountCell(cells(row['total'], 'an amount')['value'], 'an amount'),
    contract: accountReference(contract),
    position: wholeCell(row['log_index'], 'a log index'),
  }
}
