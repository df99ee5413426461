import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { connectChain } from '../../ingest/rpc/chainReader.ts'
import { wallClock } from '../../ingest/rpc/clock.ts'
import { AnswerTooLarge } from '../../ingest/rpc/exchange.ts'
import { createNode, type RpcNode, RpcRefusal } from '../../ingest/rpc/node.ts'
import { type BlockRange, createWindows, type KnownWindow } from '../../ingest/rpc/windows.ts'
import { parseAccount } from '../../src/ledger/account.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import { startAnvil } from '../chain/anvil.ts'
import { createVirtualClock } from './virtualClock.ts'

interface Limits {
  readonly blocks: number
  readonly results: number
  readonly words: (blocks: number, results: number) => string
  readonly densityAt: (block: number) => number
}

/** Asks over a range of an endpoint with such limits. */
async function askOver(
  range: BlockRange,
  limits: Limits,
  known?: Readonly<Record<string, KnownWindow>>,
): Promise<{ taken: BlockRange[]; refused: number; known: Readonly<Record<string, KnownWindow>> }> {
  const windows = createWindows({ clock: createVirtualClock(), ...(known ? { known } : {}) })
  const taken: BlockRange[] = []
  let refused = 0
  await windows.over(range, {
    method: 'eth_getLogs',
    track: 'from',
    async ask(window) {
      const blocks = window.to - window.from + 1
      let results = 0
      for (let block = window.from; block <= window.to; block++) results += limits.densityAt(block)
      if (blocks > limits.blocks || (results > limits.results && blocks > 1)) {
        refused++
        throw new RpcRefusal(-32602, limits.words(limits.blocks, limits.results))
      }
      taken.push(window)
      return { value: window, results }
    },
  })
  return { taken, refused, known: windows.known() }
}

function isPartition(taken: readonly BlockRange[], range: BlockRange): boolean {
  const sorted = [...taken].sort((a, b) => a.from - b.from)
  let next = range.from
  for (const { from, to } of sorted) {
    if (from !== next || to < from) return false
    next = to + 1
  }
  return next === range.to + 1
}

const wordings: readonly Limits['words'][] = [
  (blocks) => `block range too large, currently limited to ${blocks}`,
  (blocks) => `maximum is set to ${blocks + 1}`,
  (_, results) => `query returned more than ${results} results`,
  () => 'Block range is too large',
  () => 'words that nobody has seen yet',
]

describe('a range is read in windows', () => {
  test('that share no block and leave none out, whatever the endpoint takes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          from: fc.nat(1_000),
          length: fc.integer({ min: 1, max: 20_000 }),
          blocks: fc.integer({ min: 1, max: 30_000 }),
          results: fc.integer({ min: 1, max: 300 }),
          words: fc.constantFrom(...wordings),
          period: fc.integer({ min: 1, max: 3_000 }),
          peak: fc.nat(3),
        }),
        async ({ from, length, period, peak, ...limits }) => {
          const range = { from, to: from + length - 1 }
          fc.pre(length / limits.blocks < 2_000)
          const densityAt = (block: number): number =>
            Math.floor(block / period) % 3 === 0 ? peak : 0
          const { taken } = await askOver(range, { ...limits, densityAt })
          expect(isPartition(taken, range)).toBe(true)
        },
      ),
      { numRuns: 200 },
    )
  })

  test('of the size that the endpoint names, after one refusal', async () => {
    const { taken, refused, known } = await askOver(
      { from: 0, to: 99_999 },
      {
        blocks: 300,
        results: 10_000,
        words: (blocks) => `block range too large, currently limited to ${blocks}`,
        densityAt: () => 0,
      },
    )
    expect(refused).toBe(1)
    expect(taken).toHaveLength(Math.ceil(100_000 / 300))
    expect(known['eth_getLogs from']).toMatchObject({ blocks: 300, told: 300 })
  })

  test('what was learned is kept: the next start is not refused', async () => {
    const limits: Limits = {
      blocks: 10_000,
      results: 10_000,
      words: () => 'eth_getLogs is limited to a 10,000 range',
      densityAt: () => 0,
    }
    const first = await askOver({ from: 0, to: 199_999 }, limits)
    expect(first.refused).toBe(1)
    expect((await askOver({ from: 0, to: 199_999 }, limits, first.known)).refused).toBe(0)
  })

  test('few are refused where dense and thin stretches alternate', async () => {
    const { taken, refused } = await askOver(
      { from: 0, to: 1_999_999 },
      {
        blocks: 10_000,
        results: 10_000,
        words: (_, results) => `query returned more than ${results} results`,
        densityAt: (block) => (Math.floor(block / 100_000) % 2 === 0 ? 5 : 1),
      },
    )
    expect(refused / (taken.length + refused)).toBeLessThan(0.03)
    expect(taken.length).toBeLessThan(2.5 * ((5 * 1_000_000 + 1_000_000) / 10_000))
  })

  test('error: one block alone that is refused fails the reading', async () => {
    const windows = createWindows({ clock: createVirtualClock() })
    const refusal = new RpcRefusal(-32000, 'query returned more than 10000 results')
    await expect(
      windows.over(
        { from: 5, to: 500 },
        {
          method: 'eth_getLogs',
          track: 'from',
          ask: async () => {
            throw refusal
          },
        },
      ),
    ).rejects.toBe(refusal)
  })

  test.each<[string, Error]>([
    ['is too large', new AnswerTooLarge(1)],
    [
      'takes too long',
      new KnownError('rpc.unavailable', 'no answer', { facts: { timedOut: 1 }, retryable: true }),
    ],
  ])('an answer that %s is asked for in halves', async (_, fault) => {
    const windows = createWindows({ clock: createVirtualClock() })
    const asked: number[] = []
    await windows.over(
      { from: 0, to: 99 },
      {
        method: 'eth_getLogs',
        track: 'to',
        async ask({ from, to }) {
          asked.push(to - from + 1)
          if (to - from >= 50) throw fault
          return { value: undefined, results: 0 }
        },
      },
    )
    expect(asked.slice(0, 2)).toEqual([100, 50])
  })

  test.each<[string, Error]>([
    ['a node that is away', new KnownError('rpc.unavailable', 'no', { retryable: true })],
    ['a method that is missing', new RpcRefusal(-32601, 'method not found')],
    ['a backend that is behind', new RpcRefusal(-32000, 'unknown block')],
  ])('error: a smaller question does not help against %s', async (_, fault) => {
    let asked = 0
    const windows = createWindows({ clock: createVirtualClock() })
    await expect(
      windows.over(
        { from: 0, to: 99 },
        {
          method: 'eth_getLogs',
          track: 'to',
          async ask() {
            asked++
            throw fault
          },
        },
      ),
    ).rejects.toBe(fault)
    expect(asked).toBe(1)
  })
})

test('anvil takes 300 blocks of trace_filter at once, and a longer range is read whole', async () => {
  const anvil = await startAnvil()
  try {
    await anvil.call('anvil_mine', ['0x2bc'])
    const people = (await anvil.call('eth_accounts')) as string[]
    const [payer = '', payee = ''] = people
    await anvil.call('eth_sendTransaction', [{ from: payer, to: payee, value: '0x7' }])
    const node = createNode(anvil.url, { tries: 2 })
    const refused: string[] = []
    const watched: RpcNode = {
      name: node.name,
      calls: 0,
      call: (method, params) =>
        node.call(method, params).catch((error: unknown) => {
          if (error instanceof RpcRefusal) refused.push(error.words)
          throw error
        }),
    }
    const reader = await connectChain(watched, () => false, { clock: wallClock })
    const head = await reader.head()
    expect(head).toBe(701)
    const { transfers } = await reader.read([parseAccount(payee, reader.chain)], {
      from: 0,
      to: head,
    })
    expect(transfers.map(({ kind, amount }) => [kind, amount])).toContainEqual(['native', 7n])
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.every((words) => words.includes('currently limited to 300'))).toBe(true)
    expect(reader.windows()['trace_filter toAddress']).toMatchObject({ told: 300 })
  } finally {
    await anvil.stop()
  }
})
