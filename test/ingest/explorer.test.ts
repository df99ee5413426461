import { id } from 'ethers'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { connectExplorer } from '../../ingest/explorer/connect.ts'
import { readByBlocks, rowWindow } from '../../ingest/explorer/cursor.ts'
import { etherscanRows } from '../../ingest/explorer/etherscan.ts'
import { Narrower, Passing } from '../../ingest/explorer/requests.ts'
import { type ExplorerRows, transfersOfRows } from '../../ingest/explorer/rows.ts'
import type { Account } from '../../src/ledger/account.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'
import { chain, ether, hash, usdt, wallet, weth } from '../ledger.arbitrary.ts'
import { type ExplorerServer, type Manners, notOk, startExplorer } from './explorerServer.ts'

const servers: ExplorerServer[] = []
afterAll(() => {
  for (const server of servers) server.close()
})

async function explorer(
  ledger: readonly Transfer[],
  head: number,
  manners: Manners = {},
): Promise<ExplorerServer> {
  const server = await startExplorer(ledger, head, manners)
  servers.push(server)
  return server
}

interface Asked {
  readonly dialect?: 'etherscan' | 'blockscout'
  readonly key?: string
  readonly rate?: number
  readonly tries?: number
}

async function connect(server: ExplorerServer, asked: Asked = {}) {
  const { dialect = 'etherscan', key, rate = 10_000, tries } = asked
  const { reader } = await connectExplorer(
    { dialect, url: server[dialect], key, chain, behind: 0, callsPerSecond: rate },
    { isWrapped: (asset) => asset === weth, tries },
  )
  return reader
}

interface Row {
  readonly tx?: number
  readonly block?: number
  readonly from?: Account
  readonly to?: Account
}

/** One row of a ledger as a node tells it. */
function row(kind: Transfer['kind'], position: number, amount: bigint, at: Row = {}): Transfer {
  const { tx = 1, block = 100, from, to } = at
  return {
    chain,
    block,
    time: 1_700_000_000 + block * 12,
    tx: hash(tx),
    txIndex: tx % 1000,
    kind,
    position,
    asset: kind === 'token' ? usdt : ether,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    amount,
    flags: [],
  }
}

const a = wallet(1)
const b = wallet(2)
const wethContract = weth.replace('/erc20:', ':') as Account

/** A payment with its fee; a failed one; a call that pays `a` inside; tokens; a deposit of wrapped ether. */
const ledger: readonly Transfer[] = [
  row('fee', 0, 21n, { tx: 1, from: a }),
  row('native', 0, 5n, { tx: 1, from: a, to: b }),
  row('fee', 0, 21n, { tx: 2, block: 101, from: a }),
  row('fee', 0, 9n, { tx: 3, block: 102, from: b }),
  row('native', 0, 0n, { tx: 3, block: 102, from: b, to: wallet(7) }),
  row('internal', 2, 70n, { tx: 3, block: 102, from: wallet(7), to: a }),
  row('token', 4, 10n, { tx: 4, block: 103, from: wallet(8), to: a }),
  row('token', 5, 10n, { tx: 4, block: 103, from: wallet(8), to: a }),
  row('token', 6, 3n, { tx: 5, block: 103, to: a }),
  row('fee', 0, 30n, { tx: 6, block: 104, from: a }),
  row('native', 0, 40n, { tx: 6, block: 104, from: a, to: wethContract }),
  { ...row('token', 1, 40n, { tx: 6, block: 104, to: a }), asset: weth, flags: ['wrap'] },
]

const brief = (transfers: readonly Transfer[]) =>
  transfers
    .map(({ tx, kind, asset, from, to, amount, flags }) =>
      [
        tx.slice(-2),
        kind,
        asset.slice(-4),
        from?.slice(-2),
        to?.slice(-2),
        amount,
        ...flags,
      ].join(),
    )
    .sort()

/** What moves the wallet's money; an explorer shows no more. */
const mine = (transfers: readonly Transfer[]) =>
  transfers.filter(({ from, to, kind, tx }) => {
    const isSigned = transfers.some((t) => t.kind === 'fee' && t.tx === tx && t.from === a)
    return from === a || to === a || (isSigned && kind !== 'token')
  })

describe.each(['etherscan', 'blockscout'] as const)('%s', (dialect) => {
  test("tells an address's rows as a node does, wrapping and failed transactions included", async () => {
    const server = await explorer(ledger, 200)
    const reader = await connect(server, { dialect })
    const read = await reader.read([a], { from: 0, to: await reader.head() })
    expect(brief(read.transfers)).toEqual(brief(mine(ledger)))
    expect(reader).toMatchObject({ assurance: 0, chain })
    expect(await reader.blockHash(7)).toMatch(/^0xb+7$/)
    expect(await reader.blockHash(201)).toBeUndefined()
  })

  test('gives equal rows of a transaction places of their own, the same at each reading', async () => {
    const server = await explorer(ledger, 200)
    const reader = await connect(server, { dialect })
    const read = async (from: number) =>
      (await reader.read([a], { from, to: 200 })).transfers.filter(({ tx }) => tx === hash(4))
    const [all, part] = [await read(0), await read(103)]
    expect(new Set(all.map(({ position }) => position)).size).toBe(2)
    expect(part).toEqual(all)
  })

  test('asks for no block that was not asked for, and an unknown address has no rows', async () => {
    const server = await explorer(ledger, 200)
    const reader = await connect(server, { dialect })
    const { transfers } = await reader.read([a], { from: 101, to: 102 })
    expect(new Set(transfers.map(({ block }) => block))).toEqual(new Set([101, 102]))
    expect((await reader.read([wallet(77)], { from: 0, to: 200 })).transfers).toEqual([])
  })

  test('tells what issuers froze, read once for all wallets, and what they destroyed of one', async () => {
    const event = { asset: usdt, account: a, tx: hash(50), position: 0 } as const
    const freezes = [
      { ...event, block: 120, change: 'frozen' as const, topic: id('AddedBlackList(address)') },
      {
        ...event,
        block: 130,
        position: 3,
        change: 'destroyed' as const,
        topic: id('DestroyedBlackFunds(address,uint256)'),
        amount: 23n,
      },
    ]
    const server = await explorer(ledger, 200, { freezes })
    const reader = await connect(server, { dialect })
    const read = await reader.read([a], { from: 0, to: 200 })
    const plain = freezes.map(
      ({ topic: _, amount: __, ...rest }: (typeof freezes)[number] & { amount?: bigint }) => rest,
    )
    expect(read.freezes?.events).toEqual(plain)
    expect(read.transfers.filter(({ flags }) => flags.includes('destroyed'))).toMatchObject([
      { kind: 'token', position: 3, asset: usdt, from: a, amount: 23n, block: 130 },
    ])
    const logsAsked = () =>
      server.asked.filter((url) => url.searchParams.get('action') === 'getLogs')
    const before = logsAsked().length
    const other = await reader.read([b], { from: 0, to: 125 })
    expect(other.freezes?.events).toEqual(plain.slice(0, 1))
    expect(other.transfers.filter(({ flags }) => flags.includes('destroyed'))).toEqual([])
    expect(logsAsked()).toHaveLength(before)
  })

  test('shows an exchange whole, whoever took part in it, and reads on from there', async () => {
    const [pool, router] = [wallet(8), wallet(9)]
    const at = { tx: 40, block: 140 }
    const swap = [
      row('fee', 0, 9n, { ...at, from: a }),
      row('native', 0, 0n, { ...at, from: a, to: router }),
      row('token', 3, 50n, { ...at, from: a, to: pool }),
      { ...row('token', 4, 20n, { ...at, from: pool, to: router }), asset: weth },
      { ...row('token', 5, 20n, { ...at, from: router }), asset: weth, flags: ['wrap'] },
      row('internal', 6, 20n, { ...at, from: wethContract, to: router }),
      row('internal', 7, 20n, { ...at, from: router, to: a }),
    ]
    const server = await explorer([...ledger, ...swap], 200)
    const reader = await connect(server, { dialect })
    const { transfers } = await reader.read([a], { from: 130, to: 200 })
    expect(brief(transfers)).toEqual(brief(swap))
    const positions = transfers.filter(({ kind }) => kind === 'token').map((t) => t.position)
    // Blockscout lists no wrapping, so that leg's place is not known.
    expect(positions).toEqual(expect.arrayContaining(dialect === 'etherscan' ? [3, 4, 5] : [3, 4]))
    // An exchange after the two-hundredth is read next time.
    const many = Array.from({ length: 203 }, (_, i) =>
      swap.map((leg) => ({
        ...leg,
        tx: hash(1000 + i),
        block: 300 + i,
        time: leg.time + 12 * (160 + i),
      })),
    ).flat()
    const busy = await connect(await explorer(many, 600), { dialect })
    const first = await busy.read([a], { from: 0, to: 600 })
    expect(first.through).toBe(499)
    expect(first.transfers).toHaveLength(200 * swap.length)
    const rest = await busy.read([a], { from: 500, to: 600 })
    expect(rest).toMatchObject({ payments: [] })
    expect(rest.transfers).toHaveLength(3 * swap.length)
  })

  test('takes no more calls a second than the explorer says, and loses none', async () => {
    const many = Array.from({ length: 9 }, (_, i) =>
      row('token', i, 1n, { tx: i + 10, block: 110 + i, to: a }),
    )
    const server = await explorer(many, 200, { perSecond: 5 })
    const reader = await connect(server, { dialect, rate: 20 })
    for (const _ of [1, 2]) {
      const { transfers } = await reader.read([a], { from: 0, to: 200 })
      expect(transfers).toHaveLength(9)
    }
    expect(server.hurried).toBeLessThanOrEqual(dialect === 'etherscan' ? 2 : 8)
  })

  test('error: a key that is no good is refused at once, and told to nobody', async () => {
    const server = await explorer(ledger, 200, { key: 'the-right-key' })
    await connect(server, { dialect, key: 'the-right-key' })
    const failed = await connect(server, {
      dialect,
      key: 'WRONG-1234567890-1234567890-123456',
    }).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'rpc.refused', retryable: false })
    expect(JSON.stringify(failed) + String(failed)).not.toContain('WRONG')
  })

  test.each([
    ['HTTP 503', { status: 503, body: 'busy' }],
    ['HTTP 429', { status: 429, headers: { 'retry-after': '0' }, body: '' }],
    ['a page of HTML', { body: '<html>gateway</html>' }],
    ['half an answer', { body: '{"status":"1","res' }],
  ])('asks again after %s', async (_, reply) => {
    const server = await explorer(ledger, 200, { first: [reply] })
    const reader = await connect(server, { dialect, tries: 2 })
    expect(await reader.head()).toBe(200)
  })

  test('error: an explorer that does not answer is unavailable', async () => {
    const busy = { status: 503, body: 'busy' }
    const server = await explorer(ledger, 200, { first: [busy, busy] })
    await expect(connect(server, { dialect, tries: 2 })).rejects.toMatchObject({
      code: 'rpc.unavailable',
      retryable: true,
    })
  })
})

describe('status 0 means several things', () => {
  const answer = (message: string, result: unknown) => () =>
    etherscanRows({ status: '0', message, result })

  test.each(['No transactions found', 'No records found', 'No token transfers found'])(
    'no rows: %s',
    (message) => expect(answer(message, [])()).toEqual([]),
  )

  test.each([
    ['Max rate limit reached', undefined],
    ['Max rate limit reached, please use API Key for higher rate limit', undefined],
    ['Max calls per sec rate limit reached (3/sec)', 3],
    ['Free tier: Max calls per sec rate limit reached (5/sec)', 5],
  ])('later: %s', (text, perSecond) => {
    const fault = thrown(answer('NOTOK', text))
    expect(fault).toBeInstanceOf(Passing)
    expect(fault).toMatchObject({ perSecond })
  })

  test.each([
    [
      'window',
      'Result window is too large, PageNo x Offset size must be less than or equal to 10000',
    ],
    ['timeout', 'Query Timeout occured. Please select a smaller result dataset'],
    ['timeout', 'Query Timeout occurred. Please select a smaller result dataset'],
  ])('less at once (%s): %s', (reason, text) => {
    const fault = thrown(answer('NOTOK', text))
    expect(fault).toBeInstanceOf(Narrower)
    expect(fault).toMatchObject({ reason })
  })

  test.each([
    'Invalid API Key',
    'Missing/Invalid API Key',
    'Too many invalid api key attempts, please try again later',
    'Max daily rate limit reached. 110000 (100%) of 100000 day/limit',
    'Missing or unsupported chainid parameter (required for v2 api), please see the documentation',
    'Free API access is not supported for this chain. Please upgrade your api plan',
    'Error! Invalid address format',
    'You are using a deprecated V1 endpoint, switch to Etherscan API V2',
    'something nobody has seen yet',
  ])('never: %s', (text) => {
    expect(thrown(answer('NOTOK', text))).toMatchObject({ code: 'rpc.refused', retryable: false })
  })

  test.each([
    ['rows that are no list', { status: '1', message: 'OK', result: {} }],
    ['no answer', []],
    [
      '"no transactions" with a text',
      { status: '0', message: 'No transactions found', result: 'x' },
    ],
  ])('error: %s', (_, body) => {
    expect(() => etherscanRows(body)).toThrow()
  })
})

function thrown(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}

/** As the explorer's database answers: ascending, cut by page and window. */
function listOf(
  blocks: readonly number[],
  manners: { cap?: number; window?: number; slow?: number },
) {
  const { cap = Number.POSITIVE_INFINITY, window = rowWindow, slow } = manners
  const rows = blocks.map((block, id) => ({ block, id }))
  return async (q: { from: number; to: number; page: number; size: number }) => {
    if (q.page * q.size > window) throw new Narrower('window', 'too large')
    if (slow !== undefined && q.to - q.from + 1 > slow) throw new Narrower('timeout', 'too slow')
    const size = Math.min(q.size, cap)
    return rows
      .filter(({ block }) => block >= q.from && block <= q.to)
      .slice((q.page - 1) * size, q.page * size)
  }
}

describe('reading by blocks', () => {
  test('golden 14: beyond the window of 10,000 rows every row comes once, also where a block is cut', async () => {
    // Rows 9,998 to 10,003 are of one block.
    const blocks = Array.from({ length: 23_456 }, (_, i) =>
      i < 9_998 ? i : i < 10_003 ? 9_998 : 10_000 + (i >> 1),
    )
    const read = await readByBlocks({ from: 0, to: 40_000 }, listOf(blocks, {}))
    expect(read.rows.map(({ id }) => id)).toEqual(blocks.map((_, id) => id))
    expect(read.through).toBe(40_000)
  })

  test('golden 14: a block with more rows than the window is a gap, and what comes before it is whole', async () => {
    const blocks = [1, 2, 3, ...Array.from({ length: 10_001 }, () => 5), 7]
    const ask = listOf(blocks, {})
    const read = await readByBlocks({ from: 0, to: 9 }, ask)
    expect(read).toEqual({ rows: [1, 2, 3].map((block, id) => ({ block, id })), through: 4 })
    await expect(readByBlocks({ from: 5, to: 9 }, ask)).rejects.toMatchObject({
      code: 'rpc.refused',
      facts: { block: 5 },
    })
    expect((await readByBlocks({ from: 6, to: 9 }, ask)).rows).toHaveLength(1)
  })

  test('every row comes once, whatever window, silent cap and slowness', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 400 }),
        fc.constantFrom(20, 50, 100, 250),
        fc.constantFrom(undefined, 10, 50, 100),
        fc.constantFrom(undefined, 1, 7, 1000),
        async (unsorted, window, cap, slow) => {
          const blocks = [...unsorted].sort((x, y) => x - y)
          const fullest = Math.max(
            0,
            ...Map.groupBy(blocks, (block) => block)
              .values()
              .map((rows) => rows.length),
          )
          fc.pre(fullest < Math.min(window, cap ?? window))
          const ask = listOf(blocks, { window, ...(cap ? { cap } : {}), ...(slow ? { slow } : {}) })
          const read = await readByBlocks({ from: 0, to: 64 }, ask)
          expect(read.rows.map(({ id }) => id)).toEqual(blocks.map((_, id) => id))
          expect(read.through).toBe(64)
        },
      ),
      { numRuns: 400 },
    )
  })

  test.each([
    ['newest first', [5, 4]],
    ['beyond what was asked for', [99]],
  ])('error: rows %s are not believed', async (_, blocks) => {
    const ask = async () => blocks.map((block) => ({ block }))
    await expect(readByBlocks({ from: 0, to: 9 }, ask)).rejects.toMatchObject({
      code: 'rpc.invalid-answer',
    })
  })
})

describe('rows as transfers', () => {
  const place = { tx: hash(1), block: 5, time: 60 }
  const none = { transactions: [], internals: [], tokens: [] }
  const told = (rows: Partial<ExplorerRows>) =>
    transfersOfRows({ ...none, ...rows }, chain, (asset) => asset === weth).map(
      ({ kind, from, to, amount, asset, txIndex }) => ({ kind, from, to, amount, asset, txIndex }),
    )
  const contract = weth.slice(weth.lastIndexOf(':') + 1)

  test('a failed transaction moves its fee, whatever other lists say of it', () => {
    const transaction = { ...place, from: a, to: b, amount: 9n, fee: 3n, failed: true, txIndex: 2 }
    const internal = { ...place, from: b, to: a, amount: 4n, type: 'call', failed: false }
    const token = { ...place, from: b, to: a, amount: 4n, contract }
    const fee = { kind: 'fee', from: a, to: undefined, amount: 3n, asset: ether, txIndex: 2 }
    expect(told({ transactions: [transaction], internals: [internal], tokens: [token] })).toEqual([
      fee,
    ])
  })

  test.each(['delegatecall', 'staticcall', 'callcode'])('a %s moves nothing', (type) => {
    const internal = { ...place, from: b, to: a, amount: 4n, type, failed: false }
    expect(told({ internals: [internal] })).toEqual([])
    expect(told({ internals: [{ ...internal, type: 'call', failed: true }] })).toEqual([])
    expect(told({ internals: [{ ...internal, type: 'suicide' }] })).toHaveLength(1)
  })

  test('a wrapped coin that does emit a Transfer is not wrapped twice', () => {
    const deposit = { ...place, from: a, to: wethContract, amount: 9n, fee: 0n, failed: false }
    const minted = { ...place, to: a, amount: 9n, contract }
    const wraps = (rows: Partial<ExplorerRows>) => told(rows).filter(({ asset }) => asset === weth)
    const once = wraps({ transactions: [deposit] })
    expect(once).toMatchObject([{ kind: 'token', from: undefined, to: a, amount: 9n }])
    expect(wraps({ transactions: [deposit], tokens: [minted] })).toEqual(once)
  })

  test('what does not know its place in a transaction claims none', () => {
    const paid = { ...place, from: a, to: b, amount: 9n, fee: 3n, failed: false, txIndex: 2 }
    const token = { ...place, from: b, to: a, amount: 4n, contract }
    const indexes = (position?: number) =>
      told({
        transactions: [paid],
        tokens: [{ ...token, ...(position === undefined ? {} : { position }) }],
      }).map(({ kind, txIndex }) => `${kind} ${txIndex}`)
    expect(indexes()).toEqual(['fee 2', 'native 2', 'token undefined'])
    expect(indexes(7)).toEqual(['fee 2', 'native 2', 'token 2'])
  })
})

test('error: an explorer that sends the question elsewhere is not followed', async () => {
  const elsewhere = await explorer(ledger, 200)
  const away = { status: 302, headers: { location: elsewhere.etherscan }, body: '' }
  const server = await explorer(ledger, 200, { first: [away, away] })
  await expect(connect(server, { tries: 2 })).rejects.toMatchObject({ code: 'rpc.unavailable' })
  expect(elsewhere.asked).toEqual([])
})

test('golden 14: an address with 12,000 token rows is read in parts, none twice', async () => {
  const rows = Array.from({ length: 12_000 }, (_, i) =>
    row('token', i % 7, BigInt(i % 3), { tx: 10_000 + (i >> 2), block: 1_000 + (i >> 3), to: a }),
  )
  const server = await explorer(rows, 10_000, { slowBlocks: 5_000, silentCap: 1_000 })
  const reader = await connect(server)
  const { transfers, through } = await reader.read([a], { from: 0, to: 10_000 })
  expect(through).toBeUndefined()
  expect(transfers).toHaveLength(12_000)
  expect(new Set(transfers.map(({ tx, position }) => `${tx} ${position}`)).size).toBe(12_000)
}, 30_000)

test('what an indexer has not done yet is not claimed', async () => {
  const kinds = async (indexing: { readonly blocks: boolean; readonly all: boolean }) => {
    const server = await explorer(ledger, 200, { indexing })
    return (await connect(server, { dialect: 'blockscout' })).complete
  }
  expect(await kinds({ blocks: true, all: false })).toEqual(['native', 'fee', 'token'])
  expect(await kinds({ blocks: false, all: false })).toEqual([])
})

test('the newest blocks, which may be replaced, are left out', async () => {
  const server = await explorer(ledger, 200)
  const given = {
    dialect: 'etherscan',
    url: server.etherscan,
    chain,
    callsPerSecond: 1000,
  } as const
  const { reader } = await connectExplorer(given, { isWrapped: () => false })
  expect(await reader.head()).toBe(200 - 65)
})

test('the key is in no name, and the first call shows whether the key is any good', async () => {
  const server = await explorer(ledger, 200, { first: [notOk('Invalid API Key')] })
  await expect(connect(server)).rejects.toMatchObject({ code: 'rpc.refused' })
  expect(server.asked).toHaveLength(1)
  expect((await connect(server)).name).toMatch(/^etherscan:[0-9a-f]{12}$/)
})
