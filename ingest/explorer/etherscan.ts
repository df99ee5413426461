import { type Account, accountReference } from '../../src/ledger/account.ts'
import type { AssetId } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { freezesThrough } from '../../src/ledger/freezes.ts'
import { finalityDepth, hasLayerBelow } from '../../src/ledger/nativeCoins.ts'
import type { Kind, Transfer } from '../../src/ledger/transfer.ts'
import { tokenLegOfLog } from '../decode/tokenLog.ts'
import type { ChainReader, ReadTransactions } from '../rpc/chainReader.ts'
import { accountCell, amountCell, type Cells, cells, hashCell, wholeCell } from './cells.ts'
import { type RowQuestion, readByBlocks } from './cursor.ts'
import { type WholeTransaction, withWholeExchanges } from './exchanges.ts'
import { openIssuerLogs } from './issuerLogs.ts'
import { readEach } from './readEach.ts'
import { type ExplorerRequests, Narrower, Passing, refused, unbelievable } from './requests.ts'
import { type InternalRow, type TokenRow, type TransactionRow, transfersOfRows } from './rows.ts'

/** Logs of one question, whatever is asked for. */
const mostLogs = 1_000

export interface ExplorerPlace {
  readonly chain: ChainId
  readonly isWrapped: (asset: AssetId) => boolean
  readonly freezable: ReadonlySet<AssetId>
  /** Blocks below the head that are not read yet: an explorer says nothing of reorganisations. */
  readonly behind?: number | undefined
}

/**
 * Etherscan's API, version 2 (one host for many chains), and its sisters of the same form. It knows neither log
 * indexes nor traces, and nobody can check it: assurance 0.
 *
 * @throws KnownError `rpc.refused` where the key or the chain is no good, `rpc.unavailable`
 */
export async function connectEtherscan(
  requests: ExplorerRequests,
  place: ExplorerPlace,
): Promise<ChainReader> {
  const { chain } = place
  const behind = place.behind ?? finalityDepth(chain)
  const chainid = chain.slice(chain.indexOf(':') + 1)
  const ask = <T>(params: Readonly<Record<string, string>>, read: (body: unknown) => T) =>
    requests.get('', { chainid, ...params }, read)

  const head = async (): Promise<number> => {
    const number = await ask({ module: 'proxy', action: 'eth_blockNumber' }, (body) =>
      hexNumber(proxyResult(body), 'the head'),
    )
    return Math.max(0, number - behind)
  }
  const list = async (
    action: string,
    address: string,
    { from, to, page, size }: RowQuestion,
  ): Promise<readonly Cells[]> =>
    ask(
      {
        module: 'account',
        action,
        address,
        startblock: String(from),
        endblock: String(to),
        page: String(page),
        offset: String(size),
        sort: 'asc',
      },
      etherscanRows,
    )

  const issuers = openIssuerLogs(chain, place.freezable, (filter, { from, to, page, size }) =>
    ask(
      {
        module: 'logs',
        action: 'getLogs',
        fromBlock: String(from),
        toBlock: String(to),
        page: String(page),
        offset: String(Math.min(size, mostLogs)),
        ...filter,
      },
      etherscanRows,
    ),
  )

  /** Two calls. */
  async function wholeTransaction(
    exchange: Pick<Transfer, 'tx' | 'block' | 'time'>,
  ): Promise<WholeTransaction> {
    const { tx } = exchange
    const shared = { hash: tx, blockNumber: exchange.block, timeStamp: exchange.time }
    const internals = await ask(
      { module: 'account', action: 'txlistinternal', txhash: tx },
      etherscanRows,
    )
    const tokens = await ask(
      { module: 'proxy', action: 'eth_getTransactionReceipt', txhash: tx },
      (body) => receiptRows(proxyResult(body), exchange, place),
    )
    return {
      internals: internals.map((row) => internalRow({ ...row, ...shared }, chain)),
      tokens,
    }
  }

  async function read(
    wallet: Account,
    range: { readonly from: number; readonly to: number },
  ): Promise<ReadTransactions> {
    const address = accountReference(wallet)
    const rowsOf = <Row extends { readonly block: number }>(
      action: string,
      row: (found: Cells, chain: ChainId) => Row,
    ) =>
      readByBlocks(range, async (question) =>
        (await list(action, address, question)).map((found) => row(found, chain)),
      )
    const transactions = await rowsOf('txlist', transactionRow)
    const internals = await rowsOf('txlistinternal', internalRow)
    const tokens = await rowsOf('tokentx', tokenRow)
    const through = Math.min(transactions.through, internals.through, tokens.through)
    const until = <Row extends { readonly block: number }>(rows: readonly Row[]): readonly Row[] =>
      rows.filter(({ block }) => block <= through)
    const { freezes, destroyedOf } = await issuers.within({ from: range.from, to: through })
    const rows = {
      transactions: until(transactions.rows),
      internals: until(internals.rows),
      tokens: [...until(tokens.rows), ...destroyedOf(wallet)],
    }
    const own = { rows, transfers: transfersOfRows(rows, chain, place.isWrapped), through }
    const whole = await withWholeExchanges(wallet, own, wholeTransaction)
    return {
      transfers: transfersOfRows(whole.rows, chain, place.isWrapped),
      payments: [],
      freezes: freezesThrough(freezes, whole.through),
      through: whole.through,
    }
  }

  // Whether key and chain are any good is known before the first wallet.
  await head()
  return {
    chain,
    name: requests.name,
    assurance: 0,
    complete: completeKinds(chain),
    blocksAtOnce: Number.MAX_SAFE_INTEGER,
    head,
    // What may be replaced is not read.
    finalized: head,
    blockHash: (number) =>
      ask(
        {
          module: 'proxy',
          action: 'eth_getBlockByNumber',
          tag: `0x${number.toString(16)}`,
          boolean: 'false',
        },
        (body) => {
          const block = proxyResult(body)
          return block === null || block === undefined
            ? undefined
            : hashCell(cells(block, 'a block')['hash'], 'a block hash')
        },
      ),
    read: (wallets, range) => readEach(wallets, range, read),
  }
}

/** What rollups pay to the layer below is not in these lists, so fees are too low there. */
function completeKinds(chain: ChainId): Kind[] {
  return hasLayerBelow(chain)
    ? ['native', 'internal', 'token']
    : ['native', 'internal', 'fee', 'token']
}

/**
 * The rows of an answer. `status: "0"` means several things: no rows, too many calls, too many rows, a query that took
 * too long, or a refusal; only the text tells.
 *
 * @throws Passing, Narrower, KnownError `rpc.refused`, `rpc.invalid-answer`
 */
export function etherscanRows(body: unknown): readonly Cells[] {
  const answer = cells(body, 'the answer')
  const { result } = answer
  const message = typeof answer['message'] === 'string' ? answer['message'] : ''
  if (Array.isArray(result) && (answer['status'] === '1' || result.length > 0))
    return result.map((row) => cells(row, 'a row'))
  if (isNothingFound(message) && (result === null || result === undefined || isEmpty(result)))
    return []
  throw faultOf(typeof result === 'string' && result !== '' ? result : message)
}

function isEmpty(result: unknown): boolean {
  return result === '' || (Array.isArray(result) && result.length === 0)
}

/** The one text of `status: "0"` that is an answer: there are no such rows. */
function isNothingFound(message: string): boolean {
  return /^no (?:\w+ )*(?:transactions?|records?|transfers?|results?|internal transactions|token transfers)(?: \w+)* found$/i.test(
    message.trim(),
  )
}

/** What a text of `status: "0"` means. */
function faultOf(text: string): Error {
  if (/result window is too large/i.test(text)) return new Narrower('window', text)
  if (/query time-?out|timeout occurr?ed|smaller result dataset/i.test(text))
    return new Narrower('timeout', text)
  if (/daily (?:rate )?limit|limit.*per day|calls? per day/i.test(text))
    return refused(
      withoutKeys(text),
      'The key is used up for today: go on tomorrow, or with another key.',
    )
  if (/rate limit|max calls|too many requests/i.test(text)) {
    const perSecond = /(\d+)\s*\/\s*sec/i.exec(text)?.[1]
    return new Passing('rate limit', {
      waitMs: 1000,
      isHurried: true,
      ...(perSecond === undefined ? {} : { perSecond: Number(perSecond) }),
    })
  }
  if (/api ?key/i.test(text))
    return refused(withoutKeys(text), 'Set JEJAK_EXPLORER_KEY to a key of API version 2.')
  if (/temporarily|try again|unexpected error|busy|server too/i.test(text))
    return new Passing(withoutKeys(text).slice(0, 100))
  return refused(withoutKeys(text), 'Check the chain, and what the key may read.')
}

/** Explorers repeat the key that they refuse. */
function withoutKeys(text: string): string {
  return text.replace(/[A-Za-z0-9_-]{24,}/g, '…')
}

/** Answers of the proxy module are JSON-RPC's, except where they are refused. */
function proxyResult(body: unknown): unknown {
  const answer = cells(body, 'the answer')
  if ('jsonrpc' in answer && 'result' in answer) return answer['result']
  if ('error' in answer) {
    const { message } = cells(answer['error'], 'the error')
    throw faultOf(typeof message === 'string' ? message : 'no reason given')
  }
  const { result, message } = answer
  throw faultOf(typeof result === 'string' && result !== '' ? result : String(message))
}

function hexNumber(value: unknown, what: string): number {
  if (typeof value === 'string' && /^0x[0-9a-f]{1,13}$/i.test(value)) return Number(value)
  throw unbelievable(`${what} is no number`)
}

function placeOf(row: Cells) {
  return {
    tx: hashCell(row['hash'], 'a transaction hash'),
    block: wholeCell(row['blockNumber'], 'a block number'),
    ...(typeof row['blockHash'] === 'string' && row['blockHash'] !== ''
      ? { blockHash: hashCell(row['blockHash'], 'a block hash') }
      : {}),
    time: wholeCell(row['timeStamp'], 'a time'),
  }
}

function partiesOf(row: Cells, chain: ChainId) {
  const from = accountCell(row['from'], chain, 'the sender')
  const to =
    accountCell(row['to'], chain, 'the receiver') ??
    accountCell(row['contractAddress'], chain, 'the created contract')
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
}

function transactionRow(row: Cells, chain: ChainId): TransactionRow {
  const isFailed = row['isError'] === '1' || row['txreceipt_status'] === '0'
  return {
    ...placeOf(row),
    txIndex: wholeCell(row['transactionIndex'], 'a transaction index'),
    ...partiesOf(row, chain),
    amount: amountCell(row['value'], 'a value'),
    fee: amountCell(row['gasUsed'], 'gas used') * amountCell(row['gasPrice'], 'a gas price'),
    failed: isFailed,
  }
}

function internalRow(row: Cells, chain: ChainId): InternalRow {
  return {
    ...placeOf(row),
    ...partiesOf(row, chain),
    amount: amountCell(row['value'], 'a value'),
    type: String(row['type'] ?? 'call').toLowerCase(),
    failed: row['isError'] === '1',
  }
}

/** Some sisters of Etherscan do tell the log index. */
function tokenRow(row: Cells, chain: ChainId): TokenRow {
  const contract = accountCell(row['contractAddress'], chain, 'a token contract')
  if (contract === undefined) throw unbelievable('a token row names no contract')
  const from = accountCell(row['from'], chain, 'the sender')
  const to = accountCell(row['to'], chain, 'the receiver')
  return {
    ...placeOf(row),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    amount: amountCell(row['value'], 'a value'),
    contract: accountReference(contract),
    ...(row['logIndex'] === undefined || row['logIndex'] === ''
      ? {}
      : { position: wholeCell(row['logIndex'], 'a log index') }),
  }
}

/** Token movements of a whole transaction, with their log indexes. */
function receiptRows(
  receipt: unknown,
  { tx, block, time }: Pick<Transfer, 'tx' | 'block' | 'time'>,
  { chain, isWrapped, freezable }: ExplorerPlace,
): TokenRow[] {
  const { transactionHash, transactionIndex, logs } = cells(receipt, `the receipt of ${tx}`)
  if (hashCell(transactionHash, "a receipt's transaction") !== tx || !Array.isArray(logs))
    throw unbelievable(`the receipt of ${tx} is of another transaction`)
  const txIndex = hexNumber(transactionIndex, 'a transaction index')
  return logs.flatMap((item): TokenRow[] => {
    const log = cells(item, 'a log')
    const topics = Array.isArray(log['topics']) ? log['topics'].map(String) : []
    const contract = accountCell(log['address'], chain, 'the contract of a log')
    if (contract === undefined) throw unbelievable('a log has no contract')
    const leg = tokenLegOfLog({
      chain,
      contract: accountReference(contract),
      topics: topics.map((topic) => topic.toLowerCase()),
      data: String(log['data'] ?? ''),
      isWrapped,
      freezable,
    })
    if (!leg) return []
    const { from, to, amount, flags } = leg
    const position = hexNumber(log['logIndex'], 'a log index')
    const sides = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
    const place = { tx, block, time, txIndex, position }
    return [{ ...place, ...sides, amount, contract: accountReference(contract), flags }]
  })
}
