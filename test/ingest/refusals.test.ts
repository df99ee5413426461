import { describe, expect, test } from 'vitest'
import { kindOfRefusal, rateOf, smallerRange } from '../../ingest/rpc/refusals.ts'

const half = { kind: 'half' }
const blocks = (count: number): object => ({ kind: 'blocks', blocks: count })
const part = (count: number): object => ({ kind: 'part', blocks: count })

/** What providers say when eth_getLogs or trace_filter is asked for too much, and what is asked next. */
const texts: readonly (readonly [provider: string, text: string, code: number, next: object])[] = [
  [
    'Infura, zkSync',
    'query returned more than 10000 results. Try with this block range [0x1, 0x64].',
    -32005,
    part(100),
  ],
  [
    'zkSync',
    'Query returned more than 10000 results. Try with this block range [0x10, 0x1f].',
    -32602,
    part(16),
  ],
  [
    'Alchemy',
    'Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the response size, or you can request any block range with a cap of 10K logs in the response. Based on your parameters and the response size limit, this block range should work: [0x100, 0x1ff]',
    -32602,
    part(256),
  ],
  [
    'Alchemy, older',
    'Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the response size, or you can request any block range with a cap of 10K logs in the response.',
    -32602,
    blocks(2_000),
  ],
  ['Alchemy, older still', 'Log response size exceeded.', -32602, half],
  [
    'Alchemy, free',
    'Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range.',
    -32600,
    blocks(10),
  ],
  ['QuickNode', 'eth_getLogs is limited to a 10,000 range', -32614, blocks(10_000)],
  ['QuickNode, Discover', 'eth_getLogs is limited to a 5 range', -32614, blocks(5)],
  ['1rpc', 'eth_getLogs is limited to a 50 blocks range', -32000, blocks(50)],
  ['1rpc, older', 'eth_getLogs is limited to 0 - 50 blocks range', -32000, blocks(50)],
  ['Blast', 'eth_getLogs is limited to a 10,000 range', -32601, blocks(10_000)],
  [
    'BlockPI',
    'eth_getLogs is limited to 1024 block range. Please check the parameter requirements at  https://docs.blockpi.io',
    -32000,
    blocks(1_024),
  ],
  ['Cloudflare', 'Max range: 800', -32047, blocks(799)],
  [
    'Avalanche',
    'requested too many blocks from 1 to 50000, maximum is set to 2048',
    -32000,
    blocks(2_047),
  ],
  ['Ankr', 'block range is too wide', -32600, blocks(3_000)],
  ['Ankr, named', 'maximum [from, to] blocks distance: 5000', -32602, blocks(5_000)],
  [
    'Chainstack',
    'Block range limit exceeded. See more details at https://docs.chainstack.com',
    -32000,
    blocks(10_000),
  ],
  ['Coinbase', 'please limit the query to at most 1000 blocks', -32602, blocks(999)],
  ['PublicNode', 'exceed maximum block range: 10000', -32701, blocks(10_000)],
  ['thirdweb', 'Maximum allowed number of requested blocks is 3500', -32000, blocks(3_500)],
  [
    'Blast, paid',
    'block range exceeds the range allowed for your plan (49999 > 3000)',
    -32600,
    blocks(3_000),
  ],
  ['Harmony', 'query must be smaller than size 1024', -32000, blocks(1_024)],
  ['Moonriver', 'block range is too wide (maximum 1024)', -32000, blocks(1_024)],
  [
    'Aurora',
    'You can make eth_getLogs requests with up to a 2,000 block range',
    -32000,
    blocks(2_000),
  ],
  ['Tron', 'exceed max block range: 5000', -32600, blocks(5_000)],
  ['Somnia', 'block range exceeds 1000', -32000, blocks(1_000)],
  ['Swell', 'block range greater than 10000 max', -32000, blocks(10_000)],
  ['Hyperliquid', 'query exceeds max block range 1000', -32602, blocks(1_000)],
  ['merkle', 'eth_getLogs range is too large, max is 10k blocks', -32600, blocks(10_000)],
  ['merkle, smaller', 'eth_getLogs range is too large, max is 1k blocks', -32600, blocks(1_000)],
  ['Infura, live', 'range 1000000 exceeds limit of 10000', -32602, blocks(10_000)],
  [
    'Tenderly',
    'invalid params data.payload "range 50000 is bigger than range limit 2000"',
    -32602,
    blocks(2_000),
  ],
  [
    'Erigon',
    'query block range exceeds server limit, narrow your filter: 1000',
    -32000,
    blocks(1_000),
  ],
  ['anvil', 'block range too large, currently limited to 300', -32602, blocks(300)],
  ['Infura', 'query returned more than 10000 results', -32005, { ...half, results: 10_000 }],
  ['Infura, slow', 'query timeout exceeded', -32005, half],
  ['Erigon, results', 'query returns too many logs', -32000, half],
  ['Polygon', 'query exceeds max results 20000, retry with the range 1-2', -32602, half],
  ['Kakarot', 'logs matched by query exceeds limit of 10000', -32005, { ...half, results: 10_000 }],
  ['Ronin', 'response size should not greater than 10000000 bytes', -32000, half],
  ['a proxy', 'backend response too large', -32020, half],
  ['Zora', 'block range too large', -32000, half],
  ['Avalanche, public', 'Block range is too large', -32602, half],
  ['dRPC', 'ranges over 10000 blocks are not supported on freetier', 35, half],
  ['Base', 'no backend is currently healthy to serve traffic', -32011, half],
  ['eRPC', 'exceeded max allowed range', -32012, half],
  ['eRPC, threshold', 'range threshold exceeded', -32012, half],
  ['eRPC, named', 'allowed block range threshold exceeded', -32012, half],
]

describe('a question that asks for too much is made smaller', () => {
  test.each(texts)('%s: %s', (_, text, code, next) => {
    expect(kindOfRefusal({ code, message: text, status: 200 })).toBe('range')
    expect(smallerRange(text, 49_999)).toEqual(next)
  })

  test('the texts are the known ones', () => {
    expect(texts.length).toBeGreaterThanOrEqual(40)
  })

  test('a suggestion that would not make it smaller is not taken', () => {
    for (const [, text] of texts) {
      const next = smallerRange(text, 3)
      expect(next.kind === 'half' || next.blocks < 3).toBe(true)
    }
    expect(smallerRange('Block range limit exceeded.', 10_000)).toEqual(blocks(100))
    expect(smallerRange('Block range limit exceeded.', 100)).toEqual(half)
    expect(smallerRange('Try with this block range [0x9, 0x1]', 100)).toEqual(half)
  })
})

test.each([
  ['Monthly capacity limit exceeded. Visit https://dashboard to upgrade', 429, 'exhausted'],
  ['daily request count exceeded, request rate limited', -32005, 'exhausted'],
  ["You've exceeded the quota usage", -32001, 'exhausted'],
  ['Your app has exceeded its monthly limit', 429, 'exhausted'],
  ['project ID request rate exceeded', -32005, 'rate'],
  ['Your app has exceeded its compute units per second capacity. Please retry', 429, 'rate'],
  ['50/second request limit reached - reduce calls per second or upgrade', -32007, 'rate'],
  ['Too many requests, reason: call rate limit exhausted, retry in 10s', -32029, 'rate'],
  ['limit exceeded', -32005, 'rate'],
  ['requests are limited to 10 requests per second', -32000, 'rate'],
  ['invalid project id', -32002, 'key'],
  ['Must be authenticated!', -32600, 'key'],
  ['Unauthorized: You must authenticate your request with an API key', -32000, 'key'],
  ['project not found', -32000, 'key'],
  ['the method trace_filter does not exist/is not available', -32601, 'missing'],
  ['Method not found', -32601, 'missing'],
  ['Unsupported method: debug_traceBlockByNumber', -32600, 'missing'],
  ['rpc method is not whitelisted', -32601, 'missing'],
  ['missing trie node 5ab3 (path )', -32000, 'history'],
  ['history has been pruned for this block', 4444, 'history'],
  ['unknown block', -32000, 'behind'],
  ['header not found', -32000, 'behind'],
  ['BlockOutOfRangeError: block height is 1 but requested was 2', -32602, 'behind'],
  ['exceed max topics', -32602, 'wallets'],
  ['exceed max addresses or topics per search position', -32602, 'wallets'],
  ['Internal error', -32603, 'passing'],
  ['request timed out', -32000, 'passing'],
  ['execution reverted', 3, 'refused'],
  ['invalid argument 0: hex string of odd length', -32602, 'refused'],
])('"%s" (%i) is %s', (message, code, kind) => {
  expect(kindOfRefusal({ code, message, status: 200 })).toBe(kind)
})

test('where there are no words the code tells, and where there is no code the HTTP status', () => {
  expect(kindOfRefusal({ code: 0, message: 'no reason given', status: 429 })).toBe('rate')
  expect(kindOfRefusal({ code: 0, message: 'no', status: 401 })).toBe('key')
  expect(kindOfRefusal({ code: 0, message: 'no', status: 402 })).toBe('exhausted')
  expect(kindOfRefusal({ code: 0, message: 'no', status: 503 })).toBe('passing')
  expect(kindOfRefusal({ code: -32_601, message: 'no', status: 200 })).toBe('missing')
  expect(kindOfRefusal({ code: -32_000, message: 'no', status: 200 })).toBe('refused')
})

test('how long to wait is read from data and from words', () => {
  const data = { rate: { allowed_rps: 10, backoff_seconds: 30, current_rps: 13 } }
  expect(rateOf({ message: 'limit exceeded', data })).toEqual({ waitMs: 30_000, perSecond: 10 })
  expect(rateOf({ message: 'limit exceeded, try again in 250ms' })).toEqual({ waitMs: 250 })
  expect(rateOf({ message: 'limit exceeded', data: { rate: null } })).toEqual({})
  expect(rateOf({ message: 'limit exceeded', data: 'x' })).toEqual({})
})
