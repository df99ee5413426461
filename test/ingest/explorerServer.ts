import { createServer, type Server, type ServerResponse } from 'node:http'
import { depositTopic, transferTopic, withdrawalTopic } from '../../ingest/decode/tokenLog.ts'
import { type Account, accountReference } from '../../src/ledger/account.ts'
import { tokenContract } from '../../src/ledger/asset.ts'
import type { FreezeEvent } from '../../src/ledger/freezes.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'

/** How this explorer behaves; absent: as the documentation of a paid key says. */
export interface Manners {
  /** Rows that it shows of any question, `page × offset`. */
  readonly window?: number
  /** Cuts pages to so many rows, whatever was asked for, without a word. */
  readonly silentCap?: number
  /** More blocks than these at once take its database too long. */
  readonly slowBlocks?: number
  /** Calls of any second; more are refused with a text. */
  readonly perSecond?: number
  readonly key?: string
  /** Answers to give first, one to each call. */
  readonly first?: readonly Reply[]
  /** Blockscout: what it has indexed. */
  /** What issuers did. */
  readonly freezes?: readonly (FreezeEvent & { readonly topic: string; readonly amount?: bigint })[]
  readonly indexing?: { readonly blocks: boolean; readonly all: boolean }
}

/** Body and, where it is not 200, status and headers. */
export interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/** A local explorer that tells a ledger in the ways of Etherscan (`/v2/api`) and of Blockscout (`/api/v2`). */
export interface ExplorerServer {
  readonly etherscan: string
  readonly blockscout: string
  readonly asked: readonly URL[]
  /** Calls that it refused for being too many. */
  readonly hurried: number
  close(): void
}

export const notOk = (result: string): Reply => ({
  body: JSON.stringify({ status: '0', message: 'NOTOK', result }),
})

export async function startExplorer(
  ledger: readonly Transfer[],
  head: number,
  manners: Manners = {},
): Promise<ExplorerServer> {
  const asked: URL[] = []
  const replies = [...(manners.first ?? [])]
  const told = new Told(ledger, head, manners)
  let second: number[] = []
  let hurried = 0
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://explorer')
    asked.push(url)
    const reply = replies.shift()
    if (reply) {
      send(response, reply)
      return
    }
    const now = performance.now()
    second = [...second.filter((at) => now - at < 1000), now]
    if (second.length > (manners.perSecond ?? Number.POSITIVE_INFINITY)) {
      hurried++
      send(response, told.tooFast(url))
    } else send(response, told.answer(url, request.headers.authorization))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const base = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  return {
    etherscan: `${base}/v2/api`,
    blockscout: `${base}/api/v2`,
    asked,
    get hurried() {
      return hurried
    },
    close: () => server.close(),
  }
}

function send(response: ServerResponse, { status = 200, headers = {}, body }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
}

const ok = (value: unknown): Reply => ({ body: JSON.stringify(value) })

class Told {
  readonly #ledger: readonly Transfer[]
  readonly #head: number
  readonly #manners: Manners

  constructor(ledger: readonly Transfer[], head: number, manners: Manners) {
    this.#ledger = [...ledger].sort(
      (a, b) => a.block - b.block || (a.txIndex ?? 0) - (b.txIndex ?? 0) || a.position - b.position,
    )
    this.#head = head
    this.#manners = manners
  }

  tooFast(url: URL): Reply {
    const limit = this.#manners.perSecond
    return url.pathname.startsWith('/v2')
      ? notOk(`Max calls per sec rate limit reached (${limit}/sec)`)
      : { status: 429, headers: { 'retry-after': '1' }, body: '{"message":"Too Many Requests"}' }
  }

  answer(url: URL, authorization: string | undefined): Reply {
    const { key } = this.#manners
    if (url.pathname === '/v2/api') {
      if (key !== undefined && url.searchParams.get('apikey') !== key)
        return notOk('Invalid API Key (#err2)|WRONG-1234567890-1234567890-123456')
      return this.#etherscan(url.searchParams)
    }
    if (key !== undefined && authorization !== `Bearer ${key}`)
      return { status: 403, body: '{"message":"forbidden"}' }
    return this.#blockscout(url)
  }

  #etherscan(params: URLSearchParams): Reply {
    if (!params.has('chainid'))
      return notOk('Missing or unsupported chainid parameter (required for v2 api)')
    const action = params.get('action')
    if (action === 'eth_blockNumber')
      return ok({ jsonrpc: '2.0', id: 83, result: `0x${this.#head.toString(16)}` })
    if (action === 'eth_getBlockByNumber') {
      const number = Number(params.get('tag'))
      const result = number > this.#head ? null : { hash: blockHash(number) }
      return ok({ jsonrpc: '2.0', id: 83, result })
    }
    if (action === 'eth_getTransactionReceipt') return this.#receipt(params.get('txhash') ?? '')
    if (params.has('txhash')) return this.#internalsOf(params.get('txhash') ?? '')
    if (action === 'getLogs') return this.#logs(params)
    return this.#list(action ?? '', params)
  }

  /** Rows that name neither their transaction nor its block. */
  #internalsOf(tx: string): Reply {
    const rows = this.#ledger
      .filter((t) => t.kind === 'internal' && t.tx === tx)
      .map((t) => ({ ...internalOf(t), hash: undefined }))
    if (rows.length > 0) return ok({ status: '1', message: 'OK', result: rows })
    return ok({ status: '0', message: 'No transactions found', result: [] })
  }

  #receipt(tx: string): Reply {
    const legs = this.#ledger.filter((t) => t.kind === 'token' && t.tx === tx)
    const result = {
      transactionHash: tx,
      transactionIndex: `0x${(legs[0]?.txIndex ?? 0).toString(16)}`,
      status: '0x1',
      logs: legs.map(receiptLogOf),
    }
    return ok({ jsonrpc: '2.0', id: 83, result })
  }

  /** At most a thousand, of one contract and first topic. */
  #logs(params: URLSearchParams): Reply {
    const [from, to] = [Number(params.get('fromBlock')), Number(params.get('toBlock'))]
    const { freezes = [] } = this.#manners
    const found = freezes.filter(
      ({ asset, topic, block }) =>
        tokenContract(asset) === params.get('address') &&
        topic === params.get('topic0') &&
        block >= from &&
        block <= to,
    )
    if (found.length === 0) return ok({ status: '0', message: 'No records found', result: [] })
    const page = (Number(params.get('page') ?? 1) - 1) * 1000
    return ok({ status: '1', message: 'OK', result: found.slice(page, page + 1000).map(logOf) })
  }

  #list(action: string, params: URLSearchParams): Reply {
    const [from, to] = [Number(params.get('startblock')), Number(params.get('endblock'))]
    const [page, offset] = [Number(params.get('page')), Number(params.get('offset'))]
    const { window = 10_000, silentCap = Number.POSITIVE_INFINITY, slowBlocks } = this.#manners
    if (page * offset > window)
      return notOk(
        `Result window is too large, PageNo x Offset size must be less than or equal to ${window}`,
      )
    if (slowBlocks !== undefined && to - from + 1 > slowBlocks)
      return notOk('Query Timeout occured. Please select a smaller result dataset')
    const all = this.#rows(action, params.get('address') ?? '').filter(
      ({ block }) => block >= from && block <= to,
    )
    const size = Math.min(offset, silentCap)
    const rows = all.slice((page - 1) * size, page * size).map(({ row }) => row)
    if (rows.length > 0) return ok({ status: '1', message: 'OK', result: rows })
    return ok({ status: '0', message: 'No transactions found', result: [] })
  }

  #rows(action: string, address: string): { block: number; row: object }[] {
    const touches = (t: Transfer): boolean => [t.from, t.to].some((a) => isAt(a, address))
    if (action === 'txlist') return this.#transactions(address)
    const kind = action === 'txlistinternal' ? 'internal' : 'token'
    return this.#ledger
      .filter((t) => t.kind === kind && touches(t) && !t.flags.includes('wrap'))
      .map((t) => ({
        block: t.block,
        row: kind === 'internal' ? internalOf(t) : tokenOf(t),
      }))
  }

  #transactions(address: string): { block: number; row: object }[] {
    return this.#fees()
      .filter(({ fee, value }) => isAt(fee.from, address) || isAt(value?.to, address))
      .map(({ fee, value }) => ({
        block: fee.block,
        row: {
          ...shared(fee),
          transactionIndex: String(fee.txIndex),
          from: reference(fee.from),
          to: reference(value?.to),
          value: String(value?.amount ?? 5n),
          gasUsed: '1',
          gasPrice: String(fee.amount),
          isError: value ? '0' : '1',
          txreceipt_status: value ? '1' : '0',
          contractAddress: '',
          confirmations: '100',
        },
      }))
  }

  #fees(): { fee: Transfer; value: Transfer | undefined }[] {
    const values = new Map(
      this.#ledger.filter(({ kind }) => kind === 'native').map((t) => [t.tx, t]),
    )
    return this.#ledger
      .filter(({ kind }) => kind === 'fee')
      .map((fee) => ({ fee, value: values.get(fee.tx) }))
  }

  #blockscout(url: URL): Reply {
    if (url.pathname === '/api/') return this.#logs(url.searchParams)
    const path = url.pathname.replace('/api/v2/', '')
    const { indexing = { blocks: true, all: true } } = this.#manners
    if (path === 'blocks') return ok({ items: [{ height: this.#head }], next_page_params: null })
    if (path === 'main-page/indexing-status')
      return ok({ finished_indexing_blocks: indexing.blocks, finished_indexing: indexing.all })
    const block = /^blocks\/(\d+)$/.exec(path)?.[1]
    if (block !== undefined)
      return Number(block) > this.#head
        ? { status: 404, body: '{"message":"Not found"}' }
        : ok({ hash: blockHash(Number(block)) })
    const [, tx = '', part = ''] = /^transactions\/(0x[0-9a-f]{64})\/([-a-z]+)$/.exec(path) ?? []
    if (tx !== '')
      return this.#page(url.searchParams, this.#legs(part, (t) => t.tx === tx).reverse())
    const [, address = '', list = ''] = /^addresses\/(0x[0-9a-f]{40})\/([-a-z]+)$/.exec(path) ?? []
    return this.#page(url.searchParams, this.#items(list, address))
  }

  #items(list: string, address: string): object[] {
    if (list === 'transactions') {
      return this.#fees()
        .filter(({ fee, value }) => isAt(fee.from, address) || isAt(value?.to, address))
        .map(({ fee, value }) => ({
          ...scoutPlace(fee),
          hash: fee.tx,
          position: fee.txIndex,
          from: party(fee.from),
          to: party(value?.to),
          created_contract: null,
          value: String(value?.amount ?? 5n),
          fee: { type: 'actual', value: String(fee.amount) },
          status: value ? 'ok' : 'error',
          result: value ? 'success' : 'Reverted',
        }))
        .reverse()
    }
    return this.#legs(list, (t) => isAt(t.from, address) || isAt(t.to, address))
  }

  #legs(list: string, isWanted: (t: Transfer) => boolean): object[] {
    const kind = list === 'internal-transactions' ? 'internal' : 'token'
    return this.#ledger
      .filter((t) => t.kind === kind && !t.flags.includes('wrap'))
      .filter(isWanted)
      .map((t) => ({
        ...scoutPlace(t),
        transaction_hash: t.tx,
        from: party(t.from ?? nobody),
        to: party(t.to ?? nobody),
        ...(kind === 'internal'
          ? {
              index: t.position,
              transaction_index: t.txIndex,
              type: 'call',
              success: true,
              value: String(t.amount),
            }
          : {
              log_index: t.position,
              token: { address_hash: tokenContract(t.asset), symbol: 'TOK', type: 'ERC-20' },
              token_type: 'ERC-20',
              total: { decimals: '18', value: String(t.amount) },
            }),
      }))
      .reverse()
  }

  /** Fifty items, and what to ask for the next: nothing that was asked comes back by itself. */
  #page(params: URLSearchParams, all: readonly object[]): Reply {
    if (params.has('limit')) return { status: 422, body: '{"message":"Unexpected field: limit"}' }
    const start = Number(params.get('after') ?? 0)
    const page = all.slice(start, start + 50)
    const next = start + 50 < all.length ? { after: start + 50, index: null } : null
    return ok({ items: page, next_page_params: next })
  }
}

const nobody = `eip155:1:0x${'0'.repeat(40)}` as Account

function blockHash(number: number): string {
  return `0x${number.toString(16).padStart(64, 'b')}`
}

function isAt(account: Account | undefined, address: string): boolean {
  return account !== undefined && accountReference(account) === address.toLowerCase()
}

function reference(account: Account | undefined): string {
  return account === undefined ? '' : accountReference(account)
}

function party(account: Account | undefined): { hash: string } | null {
  return account === undefined ? null : { hash: accountReference(account) }
}

function shared(t: Transfer) {
  return { blockNumber: String(t.block), timeStamp: String(t.time), hash: t.tx }
}

function scoutPlace(t: Transfer) {
  return { block_number: t.block, timestamp: new Date(t.time * 1000).toISOString() }
}

function logOf(event: FreezeEvent & { readonly topic: string; readonly amount?: bigint }): object {
  const word = (value: bigint): string => value.toString(16).padStart(64, '0')
  const amount = event.amount === undefined ? '' : word(event.amount)
  const hex = (number: number): string => (number === 0 ? '0x' : `0x${number.toString(16)}`)
  return {
    address: tokenContract(event.asset),
    topics: [event.topic],
    data: `0x${word(BigInt(accountReference(event.account)))}${amount}`,
    blockNumber: hex(event.block),
    timeStamp: hex(1_700_000_000 + event.block * 12),
    logIndex: hex(event.position),
    transactionHash: event.tx,
  }
}

function receiptLogOf(t: Transfer): object {
  const word = (account: Account | undefined): string =>
    `0x${(account === undefined ? '' : accountReference(account).slice(2)).padStart(64, '0')}`
  const isWrap = t.flags.includes('wrap')
  const wrap = t.to === undefined ? [withdrawalTopic, word(t.from)] : [depositTopic, word(t.to)]
  return {
    address: tokenContract(t.asset),
    topics: isWrap ? wrap : [transferTopic, word(t.from), word(t.to)],
    data: `0x${t.amount.toString(16).padStart(64, '0')}`,
    logIndex: `0x${t.position.toString(16)}`,
  }
}

function internalOf(t: Transfer): object {
  return {
    ...shared(t),
    from: reference(t.from),
    to: reference(t.to),
    value: String(t.amount),
    contractAddress: '',
    type: 'call',
    traceId: '0_1',
    isError: '0',
    errCode: '',
  }
}

function tokenOf(t: Transfer): object {
  return {
    ...shared(t),
    from: reference(t.from ?? nobody),
    to: reference(t.to ?? nobody),
    contractAddress: tokenContract(t.asset),
    value: String(t.amount),
    tokenName: 'Token',
    tokenSymbol: 'TOK',
    tokenDecimal: '18',
    transactionIndex: String(t.txIndex),
    confirmations: '100',
  }
}
