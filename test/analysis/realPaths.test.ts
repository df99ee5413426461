/**
 * Reference answers that others published, and a ledger of a bank made by others (LDBC Graphalytics and FinBench).
 * Time must not bind where a reference knows none: there every edge is paid once in each of as many rounds as there are
 * vertices, so that whatever order a shortest path takes them in, each of its edges is found in a later round.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Order } from '../../src/analysis/bestPath.ts'
import type { WholeGraph } from '../../src/graph/graph.ts'
import { type Account, formatAccount } from '../../src/ledger/account.ts'
import { transferId } from '../../src/ledger/transfer.ts'
import { chain, hash, ledgerOf, usd, wallet } from '../ledger.arbitrary.ts'
import { realData } from '../realData.ts'
import { askPaths, askReach, stepsOf } from './askSweep.ts'
import { everyPath, ranked, type Step } from './everyPath.ts'
import { graphOf } from './traceLedger.ts'

const graphs = realData('graphalytics-validation')
const bank = realData('finbench-driver-sample/snapshot/AccountTransferAccount.csv')
const numbers = (file: string): number[][] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' ').map(Number))

type Edge = readonly [number, number]

describe.skipIf(graphs === undefined)('breadth-first search of Graphalytics', () => {
  const folder = join(graphs ?? '', 'graphalytics-validation/src/main/resources/validation-graphs')
  const adjacent = (file: string): Edge[] =>
    numbers(join(folder, file)).flatMap(([from = 0, ...to]) => to.map((each): Edge => [from, each]))
  const listed = (file: string): Edge[] =>
    numbers(join(folder, file)).map(([from = 0, to = 0]): Edge => [from, to])
  const bothWays = (edges: readonly Edge[]): Edge[] => [
    ...edges,
    ...edges.map(([from, to]): Edge => [to, from]),
  ]
  const cases: readonly (readonly [string, () => Edge[], string])[] = [
    ['directed', () => adjacent('bfs/dir-input'), 'bfs/dir-output'],
    ['undirected', () => adjacent('bfs/undir-input'), 'bfs/undir-output'],
    [
      'example, directed',
      () => listed('example/example-directed.e'),
      'example/example-directed-BFS',
    ],
    [
      'example, undirected',
      () => bothWays(listed('example/example-undirected.e')),
      'example/example-undirected-BFS',
    ],
  ]

  test.each(cases)('%s: hops of reach and of shortest paths', async (_, edgesOf, output) => {
    const edges = edgesOf()
    const distances = numbers(join(folder, output))
    const rounds = distances.map(() => edges)
    const graph = await graphOf(
      ledgerOf(
        rounds.map((round) =>
          round.map(([from, to]) => ({ from: wallet(from), to: wallet(to), amount: 1n })),
        ),
      ),
    )
    const source = distances.find(([, hops]) => hops === 0)?.[0] ?? 0
    const { reached } = askReach(graph, [wallet(source)])
    const expected = distances.filter(([, hops = 0]) => hops > 0 && hops < 1000)
    expect(expected.length).toBeGreaterThan(3)
    expect(new Map(reached.map(({ account, hop }) => [account, hop]))).toEqual(
      new Map(expected.map(([vertex = 0, hops = 0]) => [formatAccount(wallet(vertex)), hops])),
    )
    for (const [vertex = 0, hops = 0] of distances.filter(([, hops]) => hops !== 0)) {
      if (graph.address(wallet(vertex)) < 0) continue
      const { paths } = askPaths(graph, { from: [wallet(source)], to: [wallet(vertex)] })
      expect(paths.map((path) => path.hops)).toEqual(hops < 1000 ? [hops] : [])
    }
  })
})

/** Further than this not every path can be tried. */
const mostHops = 3

/** Per account, by rounds until nothing changes: earliest place and hops of it, using some transfers only. */
function byRounds(steps: readonly Step[], from: Account, least = 0n) {
  const hops = new Map<Account, number>()
  const outgoing = Map.groupBy(
    steps.map((step, place) => ({ step, place })),
    ({ step }) => step.from,
  )
  const earliest = new Map<Account, number>([[from, -1]])
  let changed = new Map(earliest)
  for (let round = 1; changed.size > 0; round++) {
    const next = new Map<Account, number>()
    for (const [account, since] of changed) {
      for (const { step, place } of outgoing.get(account) ?? []) {
        if (place <= since || step.amount < least || step.to === undefined) continue
        if (place < (earliest.get(step.to) ?? Number.POSITIVE_INFINITY)) {
          earliest.set(step.to, place)
          next.set(step.to, place)
        }
        if (!hops.has(step.to)) hops.set(step.to, round)
      }
    }
    changed = next
  }
  hops.delete(from)
  return { earliest, hops }
}

describe.skipIf(bank === undefined)('the FinBench sample', async () => {
  const rows = readFileSync(bank ?? '', 'utf8')
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => line.split('|'))
    .map(([from = '', to = '', amount = '', time = '']) => ({
      from,
      to,
      amount,
      at: Date.parse(`${time.replace(' ', 'T')}Z`),
    }))
    .sort((a, b) => a.at - b.at)
  const accountNumbers = new Map(
    [...new Set(rows.flatMap(({ from, to }) => [from, to]))].map((name, i) => [name, i + 1]),
  )
  const accountOf = (name: string): Account => wallet(accountNumbers.get(name) ?? 0)
  const ledger = rows.map((row, i) => ({
    chain,
    block: i,
    time: Math.floor(row.at / 1000),
    tx: hash(i + 1),
    txIndex: 0,
    kind: 'token' as const,
    position: 0,
    asset: usd,
    from: accountOf(row.from),
    to: accountOf(row.to),
    amount: BigInt(Math.round(Number(row.amount) * 10_000)),
    flags: [],
  }))
  const graph: WholeGraph = await graphOf(ledger, 10_000)
  const steps = stepsOf(graph)
  const some = [...new Set(rows.map(({ from }) => from))]
    .filter((_, i) => i % 71 === 0)
    .map(accountOf)
  /** An account with another: near, far and the furthest that it reaches, and one that it may not reach. */
  const pairs = some.flatMap((from, i) => {
    const { reached } = askReach(graph, [from])
    const places = [0.1, 0.5, 0.9].map((share) => Math.floor(reached.length * share))
    const found = places.map(
      (place) => reached[place]?.account.toLowerCase() as Account | undefined,
    )
    return [...found, some[(i + 1) % some.length]]
      .filter((to) => to !== undefined && to !== from)
      .map((to) => [from, to as Account] as const)
  })

  test('is read whole and in order', () => {
    expect(steps.map(({ id }) => id)).toEqual(ledger.map((row) => transferId(row)))
    expect(steps).toHaveLength(37_861)
  })

  test('reach is what going round by round finds', () => {
    let reached = 0
    for (const from of some) {
      const { hops, earliest } = byRounds(steps, from)
      const answer = askReach(graph, [from])
      expect(answer.reached.every(({ stop }) => stop === undefined)).toBe(true)
      expect(new Map(answer.reached.map(({ account, hop }) => [account, hop]))).toEqual(
        new Map([...hops].map(([account, hop]) => [formatAccount(account), hop])),
      )
      for (const { account, arrival } of answer.reached)
        expect(arrival).toBe(steps[earliest.get(account.toLowerCase() as Account) ?? -1]?.id)
      reached += answer.cut.reached
    }
    expect(reached).toBeGreaterThan(1000)
  }, 120_000)

  test('the best paths are as short, as early and as wide as going round by round can be', () => {
    let found = 0
    for (const [from, to] of pairs) {
      const best = (by: Order) => askPaths(graph, { from: [from], to: [to], by }).paths[0]
      const { hops, earliest } = byRounds(steps, from)
      expect(best('hops')?.hops).toBe(hops.get(to))
      const last = best('arrival')?.transfers.at(-1)?.transfer
      expect(last).toBe(steps[earliest.get(to) ?? -1]?.id)
      const widest = best('bottleneck')
      expect(widest === undefined).toBe(last === undefined)
      if (!widest) continue
      const width = BigInt(widest.bottleneck ?? 0)
      expect(byRounds(steps, from, width).earliest.has(to)).toBe(true)
      expect(byRounds(steps, from, width + 1n).earliest.has(to)).toBe(false)
      found++
    }
    expect(found).toBeGreaterThan(20)
  }, 120_000)

  test('the k shortest are the first of all that trying finds', () => {
    let compared = 0
    for (const [from, to] of pairs) {
      const answer = askPaths(graph, { from: [from], to: [to], k: 100 })
      const near = answer.paths.filter(({ hops }) => hops <= mostHops)
      if (near.length === 0) continue
      const tried = everyPath(steps, {
        from: [from],
        ends: [to],
        backward: false,
        follows: () => true,
        isStop: () => false,
        mostHops,
      }).filter((path) => steps[path.at(-1) ?? 0]?.to === to)
      const all = ranked(steps, tried, { by: 'hops', backward: false })
      expect(near.map(({ transfers }) => transfers.map(({ transfer }) => transfer))).toEqual(
        all.slice(0, 100).map(({ ids }) => ids),
      )
      compared += near.length
    }
    expect(compared).toBeGreaterThan(50)
  }, 120_000)
})
