import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadAttribution } from '../../src/attribution/load.ts'
import { openRegistries } from '../../src/attribution/registries.ts'
import { createPlanner, type Planner } from '../../src/follow/plan.ts'
import { buildGraph } from '../../src/graph/build.ts'
import type { Account } from '../../src/ledger/account.ts'
import type { Kind, Transfer } from '../../src/ledger/transfer.ts'
import { type Flag, readFlag } from '../../src/store/flags.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { bestWork, changeWork, type WorkItem } from '../../src/store/workQueue.ts'

/** A worker that reads from a made-up ledger instead of a node: it does what is best, one thing at a time. */
export interface Played {
  readonly store: Store
  readonly planner: Planner
  /** What was read, in order. */
  readonly read: (Account | string)[]
  /** Blocks that the chain has; what is later did not happen yet. */
  head: number
  /** Plans and reads until nothing is wanted any more. */
  settle(): Promise<void>
  /** Plans until nothing changes. */
  plan(): Promise<void>
  /** @returns false when nothing was wanted. */
  work(): Promise<boolean>
  flag(id: string): Promise<Flag>
  close(): Promise<void>
}

export interface PlayOptions {
  /** Kinds that the node can tell. */
  readonly kinds?: readonly Kind[]
  /** Addresses that look too busy to be read unasked. */
  readonly busy?: readonly Account[]
}

const all: readonly Kind[] = ['native', 'internal', 'fee', 'token']

export async function play(
  ledger: readonly Transfer[],
  { kinds = all, busy = [] }: PlayOptions = {},
): Promise<Played> {
  const folder = mkdtempSync(join(tmpdir(), 'jejak-follow-'))
  const store = await openStore(folder)
  const registries = openRegistries(store)
  const planner = createPlanner({
    store,
    read: async (work) => work(await buildGraph(store)),
    async context() {
      const attribution = await loadAttribution(store)
      const { tags, tokens } = attribution
      const coverage = await store.coverageClaims()
      return { tags, tokens, coverage, conversions: await registries(attribution) }
    },
  })
  const read: (Account | string)[] = []

  async function append(item: WorkItem, head: number): Promise<void> {
    const touched = new Set(
      ledger
        .filter(({ tx, from, to }) =>
          item.transaction
            ? tx === item.transaction.tx
            : from === item.account || to === item.account,
        )
        .map(({ tx }) => tx),
    )
    const { account } = item
    await store.append({
      transfers: ledger.filter(({ tx, block }) => touched.has(tx) && block <= head),
      source: 'node:played',
      assurance: 1,
      coverage: account
        ? kinds.map((kind) => ({
            account,
            kind,
            fromBlock: 0,
            toBlock: head,
            assurance: 1,
            source: 'node:played',
          }))
        : [],
    })
  }

  const played: Played = {
    store,
    planner,
    read,
    head: Math.max(...ledger.map(({ block }) => block)),
    async plan() {
      for (let round = 0; round < 20; round++)
        if (!(await planner.round(new Date(0))).changed) return
      throw new Error('the planner never comes to rest')
    },
    async work() {
      const [item] = await bestWork(store)
      if (!item) return false
      const tooBusy =
        item.account !== null &&
        busy.includes(item.account) &&
        item.askFirst &&
        !item.continued &&
        item.own.length === 0
      if (!tooBusy) {
        read.push(item.account ?? item.id)
        await append(item, played.head)
      }
      await changeWork(
        store,
        item.id,
        (known) =>
          known && {
            ...known,
            ...(tooBusy
              ? { state: 'parked', parked: 'high_degree' }
              : { state: 'done', throughBlock: played.head }),
            spent: {
              calls: known.spent.calls + 10,
              blocks: known.spent.blocks + (tooBusy || item.transaction ? 0 : played.head + 1),
              transfers: 1,
              seconds: 1,
            },
            finished: known.finished + 1,
          },
      )
      return true
    },
    async settle() {
      for (let step = 0; step < 200; step++) {
        await played.plan()
        if (!(await played.work())) return
      }
      throw new Error('the following never comes to an end')
    },
    async flag(id) {
      const flag = await readFlag(store, id)
      if (flag) return flag
      throw new Error(`${id} is not flagged`)
    },
    async close() {
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return played
}
