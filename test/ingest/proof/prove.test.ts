import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { encodeHeader } from '../../../ingest/proof/blockHeader.ts'
import { keccak } from '../../../ingest/proof/bytes.ts'
import { createNode } from '../../../ingest/rpc/node.ts'
import type { Fields } from '../../../ingest/rpc/values.ts'
import { accountReference } from '../../../src/ledger/account.ts'
import type { Coverage } from '../../../src/ledger/coverage.ts'
import { listDisputes, readingsOf } from '../../../src/store/proofs.ts'
import { canonicalTransfers } from '../../chain/balanceProof.ts'
import { type Lie, lyingProxy } from '../../chain/lyingProxy.ts'
import {
  buildProvenChain,
  emptyStore,
  honest,
  ingest,
  type Place,
  type ProvenChain,
  proveWith,
} from './provenChain.ts'

let known: ProvenChain
let place: Place
let truth: readonly string[]
/** Without the transactions that reach the wallet only by a call inside them. */
let provable: readonly string[]

beforeAll(async () => {
  known = await buildProvenChain()
  place = await emptyStore()
  await ingest(place, known.alice, known.anvil.url)
  truth = await rows()
  const direct = new Set(
    (await canonicalTransfers(place.store))
      .filter((row) => row.kind !== 'internal' && [row.from, row.to].includes(known.alice))
      .map(({ tx }) => tx),
  )
  provable = truth.filter((row) => direct.has(row.split(' ')[2] ?? ''))
  await place.close()
}, 60_000)
beforeEach(async () => {
  place = await emptyStore()
})
afterEach(() => place.close())
afterAll(() => known.anvil.stop())

/** What is stored and can be proven, whoever told it. */
async function rows(): Promise<string[]> {
  return (await canonicalTransfers(place.store))
    .filter(({ kind }) => kind !== 'internal')
    .map(
      (t) =>
        `${t.block} ${t.blockHash} ${t.tx} ${t.txIndex} ${t.signer} ${t.kind} ${t.position} ${t.from} ${t.to} ${t.amount} ${t.asset}`,
    )
    .sort()
}

async function claims(assurance: number): Promise<string[]> {
  const all: Coverage[] = await place.store.coverage(new Set([known.alice]))
  return all
    .filter((claim) => claim.assurance === assurance)
    .map(({ kind, fromBlock, toBlock }) => `${kind} ${fromBlock}-${toBlock}`)
    .sort()
}

describe('an honest node', () => {
  test('is proven right: the same transfers, all that blocks can prove at assurance 3', async () => {
    const report = await proveWith(known, place, [honest, honest])
    expect(await rows()).toEqual(truth)
    expect(truth.length).toBeGreaterThan(15)
    const whole = `0-${known.last}`
    expect(await claims(3)).toEqual([
      `fee ${whole}`,
      `native ${whole}`,
      `token ${whole}`,
      `withdrawal ${whole}`,
    ])
    expect(await claims(2)).toEqual([`internal ${whole}`])
    expect(report).toMatchObject({ ok: true, findings: 0, agreed: ['internal'] })
    expect(report.balances.map(({ difference }) => difference)).toEqual([0n, 0n])
    expect((await readingsOf(place.store, known.alice)).map(({ source }) => source)).toContain(
      'proof',
    )
  })

  test('beside what was read before: nothing is doubled, the proven rows count', async () => {
    await ingest(place, known.alice, known.anvil.url)
    const report = await proveWith(known, place, [honest, honest])
    expect(report.findings).toBe(0)
    expect(await rows()).toEqual(truth)
    const [token] = (await canonicalTransfers(place.store)).filter(({ kind }) => kind === 'token')
    const seen = await place.store.observations([
      `${known.chain}:${token?.tx}:token:${token?.position}` as never,
    ])
    expect(seen.map(({ assurance }) => assurance).sort()).toEqual([1, 2, 3])
  })

  test('a contract is found from the transaction that made it', async () => {
    await ingest(place, known.relay, known.anvil.url)
    const told = await rows()
    expect(told.length).toBeGreaterThan(6)
    await place.close()
    place = await emptyStore()
    const kinds = ['token', 'native', 'fee', 'withdrawal'] as const
    await proveWith(known, place, [honest, honest], { account: known.relay, kinds })
    expect(await rows()).toEqual(told)
  })

  test('a run that is stopped goes on where it was', async () => {
    const stop = new AbortController()
    const tell = (event: { readonly event: string }): void => {
      if (event.event === 'proven') stop.abort()
    }
    const kinds = ['token', 'native', 'fee', 'withdrawal'] as const
    const half = proveWith(known, place, [honest, honest], { kinds, signal: stop.signal, tell })
    await expect(half).rejects.toThrow()
    expect((await claims(3)).length).toBe(4)
    expect(await claims(3)).not.toContain(`token 0-${known.last}`)
    const rest = await proveWith(known, place, [honest, honest], { kinds })
    expect(await claims(3)).toContain(`token 0-${known.last}`)
    expect(await rows()).toEqual(provable)
    expect(provable.length).toBe(truth.length - 2)
    const again = rest.events.flatMap((e) => (e.event === 'proven' ? [e.toBlock] : []))
    expect(Math.max(...again)).toBeLessThan(known.last)
  })

  test('a reorganisation after a run was stopped makes it begin anew', async () => {
    const stop = new AbortController()
    const tell = (event: { readonly event: string }): void => {
      if (event.event === 'proven') stop.abort()
    }
    const kinds = ['token'] as const
    const half = proveWith(known, place, [honest, honest], { kinds, signal: stop.signal, tell })
    await expect(half).rejects.toThrow()
    await place.store.rollBack(known.chain, known.last - 2)
    await proveWith(known, place, [honest, honest], { kinds })
    expect(await claims(3)).toEqual([`token 0-${known.last}`])
  })

  test('tokens alone need only headers, and receipts where the bloom allows', async () => {
    const report = await proveWith(known, place, [honest, honest], { kinds: ['token'] })
    expect(await claims(3)).toEqual([`token 0-${known.last}`])
    expect((await rows()).filter((row) => row.includes(' token '))).toEqual(
      truth.filter((row) => row.includes(' token ')),
    )
    expect(report.ok).toBe(true)
  })

  test('single transactions are proven without a claim that there is no other', async () => {
    const tx = truth.find((row) => row.includes(' token '))?.split(' ')[2] ?? ''
    const absent = `0x${'7'.repeat(64)}`
    const report = await proveWith(known, place, [honest, honest], {
      account: undefined,
      range: undefined,
      transactions: [tx, absent],
    })
    expect(report).toMatchObject({ ok: false, missing: [absent] })
    expect(await rows()).toEqual(truth.filter((row) => row.includes(tx)))
    expect(await place.store.coverageClaims()).toEqual([])
  })
})

describe('who vouches', () => {
  const hashOf = async (block: number): Promise<string> =>
    (
      (await known.anvil.call('eth_getBlockByNumber', [`0x${block.toString(16)}`, false])) as Fields
    )['hash'] as string

  test('error: one endpoint alone', async () => {
    await expect(proveWith(known, place, [honest])).rejects.toMatchObject({
      code: 'proof.unanchored',
    })
    expect(await place.store.coverageClaims()).toEqual([])
  })

  test('the operator, for a block above', async () => {
    const anchors = [{ block: known.last + 1, hash: await hashOf(known.last + 1) }]
    await proveWith(known, place, [honest], { anchors })
    expect(await claims(3)).toContain(`native 0-${known.last}`)
  })

  test('error: an anchor that the chain does not have, above or inside', async () => {
    const wrong = `0x${'1'.repeat(64)}`
    const above = [{ block: known.last, hash: wrong }]
    const inside = [
      { block: known.last, hash: await hashOf(known.last) },
      { block: known.last - 3, hash: wrong },
    ]
    for (const anchors of [above, inside]) {
      await expect(proveWith(known, place, [honest], { anchors })).rejects.toMatchObject({
        code: 'rpc.invalid-answer',
      })
    }
    expect(await place.store.coverageClaims()).toEqual([])
  })

  test('error: a block that is not final, endpoints that tell two chains, a chain without vectors', async () => {
    await expect(
      proveWith(known, place, [honest, honest], { range: { from: 0, to: known.last + 2 } }),
    ).rejects.toMatchObject({ code: 'proof.unanchored' })
    const other: Lie = (method, _, result) =>
      method === 'eth_getBlockByNumber'
        ? { ...(result as Fields), hash: `0x${'2'.repeat(64)}` }
        : undefined
    await expect(
      proveWith(known, place, [honest, other], { kinds: ['token'] }),
    ).rejects.toMatchObject({ code: 'rpc.invalid-answer' })
    await expect(proveWith(known, place, [honest], { likeEthereum: false })).rejects.toMatchObject({
      code: 'proof.unsupported',
    })
    expect(await place.store.coverageClaims()).toEqual([])
  })
})

/** Changes what is told of each item of a list. */
const each =
  (change: (item: Fields) => Fields | undefined) =>
  (list: unknown): Fields[] =>
    (list as Fields[]).map(change).filter((item) => item !== undefined)

const ofReceipts =
  (change: (receipt: Fields) => Fields | undefined): Lie =>
  (method, _, result) =>
    method === 'eth_getBlockReceipts' ? each(change)(result) : undefined

const ofTransactions =
  (change: (transaction: Fields) => Fields | undefined): Lie =>
  (method, params, result) =>
    method === 'eth_getBlockByNumber' && params[1] === true && result !== null
      ? { ...(result as Fields), transactions: each(change)((result as Fields)['transactions']) }
      : undefined

const ofBlocks =
  (change: (block: Fields, number: number) => Fields | null | undefined): Lie =>
  (method, params, result) =>
    method === 'eth_getBlockByNumber' && result !== null && String(params[0]).startsWith('0x')
      ? change(result as Fields, Number(params[0]))
      : undefined

const withoutLast = (logs: unknown): Fields[] => (logs as Fields[]).slice(0, -1)
const isAlice = (value: unknown): boolean => value === accountReference(known.alice)

describe('a lying endpoint is found out, and nothing of the piece is stored as complete', () => {
  test.each<[string, Lie]>([
    ['one omitted log', ofReceipts((r) => ({ ...r, logs: withoutLast(r['logs']) }))],
    [
      'one omitted log, with blooms to match',
      (method, params, result) =>
        ofReceipts((r) => ({ ...r, logs: [], logsBloom: `0x${'0'.repeat(512)}` }))(
          method,
          params,
          result,
        ) ??
        ofBlocks((block) => ({ ...block, logsBloom: `0x${'0'.repeat(512)}` }))(
          method,
          params,
          result,
        ),
    ],
    [
      'one altered amount in a log',
      ofReceipts((r) => ({
        ...r,
        logs: each((log) => ({ ...log, data: String(log['data']).replace(/.$/, '1') }))(r['logs']),
      })),
    ],
    [
      'another token in a log',
      ofReceipts((r) => ({
        ...r,
        logs: each((log) => ({ ...log, address: `0x${'9'.repeat(40)}` }))(r['logs']),
      })),
    ],
    ['a failed transaction told as done', ofReceipts((r) => ({ ...r, status: '0x1' }))],
    ['an omitted receipt', ofReceipts((r) => (isAlice(r['from']) ? undefined : r))],
    ['no receipts', (method) => (method === 'eth_getBlockReceipts' ? [] : undefined)],
    ['one altered amount of a transaction', ofTransactions((t) => ({ ...t, value: '0x1' }))],
    ['one omitted transaction', ofTransactions((t) => (isAlice(t['from']) ? undefined : t))],
    [
      'a block said to be empty, in which nothing left a log',
      ofBlocks((block, number) => (number === 5 ? { ...block, transactions: [] } : undefined)),
    ],
    [
      'a transaction said to be of somebody else',
      ofTransactions((t) => (isAlice(t['from']) ? { ...t, from: `0x${'3'.repeat(40)}` } : t)),
    ],
    [
      'one foreign block hash',
      ofBlocks((block, number) =>
        number === known.last - 4 ? { ...block, hash: `0x${'4'.repeat(64)}` } : undefined,
      ),
    ],
    [
      'one foreign block, right in itself',
      ofBlocks((block, number) => {
        if (number !== known.last - 4) return undefined
        const other = { ...block, stateRoot: `0x${'5'.repeat(64)}` }
        return { ...other, hash: keccak(encodeHeader(other)) }
      }),
    ],
    [
      'invented withdrawals',
      ofBlocks((block) => ({
        ...block,
        withdrawals: [
          {
            index: '0x1',
            validatorIndex: '0x1',
            address: accountReference(known.alice),
            amount: '0x9',
          },
        ],
      })),
    ],
  ])('%s', async (_, lie) => {
    const kinds = ['token', 'native', 'fee', 'withdrawal'] as const
    await expect(proveWith(known, place, [lie, honest], { kinds })).rejects.toMatchObject({
      code: 'rpc.invalid-answer',
    })
    expect((await claims(3)).filter((claim) => claim.includes(' 0-'))).toEqual([])
    for (const row of await rows()) expect(truth).toContain(row)
  })

  test('a lagging backend that does not have the block yet', async () => {
    const lags: Lie = (method, params) =>
      method === 'eth_getBlockByNumber' && Number(params[0]) > known.last - 10 ? null : undefined
    await expect(
      proveWith(known, place, [lags, honest], { kinds: ['token', 'native'] }),
    ).rejects.toMatchObject({ code: expect.stringMatching(/^rpc\./) })
    expect(await place.store.coverageClaims()).toEqual([])
  })
})

describe('what a lying node had told before gives way to the proof', () => {
  const afterProof = async (lie: Lie): Promise<{ findings: number }> => {
    const proxy = await lyingProxy(known.anvil, lie)
    await ingest(place, known.alice, proxy.url)
    proxy.close()
    expect(await rows()).not.toEqual(truth)
    return proveWith(known, place, [honest, honest])
  }

  test('an omitted log is there', async () => {
    await afterProof((method, _, result) =>
      method === 'eth_getTransactionReceipt' && result !== null
        ? { ...(result as Fields), logs: [] }
        : undefined,
    )
    expect(await rows()).toEqual(truth)
  })

  test('an altered amount and an invented log are findings, and count no more', async () => {
    const { findings } = await afterProof((method, _, result) => {
      if (method !== 'eth_getTransactionReceipt' || result === null) return undefined
      const receipt = result as Fields
      const logs = each((log) => ({ ...log, data: String(log['data']).replace(/.$/, '1') }))(
        receipt['logs'],
      )
      const [first] = logs
      const invented = first ? [{ ...first, logIndex: '0x63' }] : []
      return { ...receipt, logs: [...logs, ...invented] }
    })
    expect(findings).toBeGreaterThan(1)
    expect(await rows()).toEqual(truth)
  })

  test('a transaction that its block does not have is disputed by name', async () => {
    const tx = `0x${'6'.repeat(64)}`
    const { alice, chain } = known
    const block = (await known.anvil.call('eth_getBlockByNumber', ['0x1e', false])) as Fields
    const time = Number(block['timestamp'])
    await place.store.append({
      transfers: [
        {
          chain,
          block: 30,
          time,
          tx,
          txIndex: 0,
          kind: 'native',
          position: 0,
          asset: `${chain}/slip44:60` as never,
          from: alice,
          to: alice,
          amount: 5n,
          flags: [],
        },
      ],
      source: 'node:liar',
      assurance: 1,
      coverage: [],
    })
    const report = await proveWith(known, place, [honest, honest])
    expect(report).toMatchObject({ ok: false, findings: 1 })
    const [found] = await listDisputes(place.store, alice)
    expect(found).toMatchObject({ what: 'refuted', fromBlock: 30 })
    expect(found?.text).toContain('node:liar')
  })
})

describe('two endpoints that do not agree', () => {
  const kinds = ['internal', 'token'] as const
  const agree = (lie: Lie) => proveWith(known, place, [honest, lie], { kinds, likeEthereum: false })

  test('agreeing ones give assurance 2', async () => {
    await agree(honest)
    expect(await claims(2)).toEqual([`internal 0-${known.last}`, `token 0-${known.last}`])
    expect((await readingsOf(place.store, known.alice)).map(({ assurance }) => assurance)).toEqual([
      2,
    ])
  })

  test('what they agreed on is not read again', async () => {
    const proxies = [await lyingProxy(known.anvil), await lyingProxy(known.anvil)] as const
    const [one, other] = proxies.map(({ url }) => createNode(url))
    if (!one || !other) throw new RangeError('two endpoints')
    const more = { kinds, likeEthereum: false, endpoints: [one, other] as const }
    await proveWith(known, place, [honest], more)
    const [asked = 0] = proxies.map((proxy) => proxy.asked.get('eth_getLogs'))
    expect(asked).toBeGreaterThan(0)
    expect((await proveWith(known, place, [honest], more)).agreed).toEqual(['internal', 'token'])
    expect(proxies[0].asked.get('eth_getLogs')).toBe(asked)
    for (const proxy of proxies) proxy.close()
  })

  test.each<[string, Lie]>([
    ['a backend that lags answers []', (method) => (method === 'eth_getLogs' ? [] : undefined)],
    [
      'one omitted log',
      (method, _, result) =>
        method === 'eth_getTransactionReceipt'
          ? { ...(result as Fields), logs: withoutLast((result as Fields)['logs']) }
          : undefined,
    ],
    [
      'one altered amount',
      (method, _, result) =>
        method === 'eth_getTransactionReceipt'
          ? {
              ...(result as Fields),
              logs: each((log) => ({ ...log, data: String(log['data']).replace(/.$/, '1') }))(
                (result as Fields)['logs'],
              ),
            }
          : undefined,
    ],
  ])('%s: nothing is claimed, and the difference is told', async (_, lie) => {
    const report = await agree(lie)
    expect(report.ok).toBe(false)
    expect(report.findings).toBeGreaterThan(0)
    expect(await claims(2)).toEqual([])
    const [found] = await listDisputes(place.store, known.alice)
    expect(found).toMatchObject({ what: 'disagreement', fromBlock: 0, toBlock: known.last })
    expect(found?.kinds).toContain('token')
    // Whoever of the two lies.
    expect((await proveWith(known, place, [lie, honest], { kinds, likeEthereum: false })).ok).toBe(
      false,
    )
    expect(await claims(2)).toEqual([])
    // Settled as soon as they agree.
    await agree(honest)
    expect(await listDisputes(place.store, known.alice)).toEqual([])
  })
})
