import type { OpenAPIHono } from '@hono/zod-openapi'
import { type Flag, listFlags } from '../store/flags.ts'
import { ingestTotals } from '../store/ingestTotals.ts'
import type { Store } from '../store/store.ts'
import type { Knowledge } from './knowledge.ts'
import { createRouter } from './router.ts'

/** One measure in Prometheus' text format. */
interface Measure {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly values: readonly {
    readonly labels: Readonly<Record<string, string>>
    readonly value: number
  }[]
}

/** `GET /metrics`: how ingestion goes, by chain, from what the workers noted in the store. */
export function metricsRoutes({ store }: Knowledge): OpenAPIHono {
  const routes = createRouter()
  routes.get('/metrics', async (c) => {
    const text = metricsText(await measures(store))
    return c.body(text, 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
  })
  return routes
}

export function metricsText(all: readonly Measure[]): string {
  const lines = all.flatMap(({ name, type, help, values }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...values.map(({ labels, value }) => `${name}${labelText(labels)} ${value}`),
  ])
  return `${lines.join('\n')}\n`
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return parts.length === 0 ? '' : `{${parts.join(',')}}`
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

const counters = [
  ['blocks', 'jejak_ingest_blocks_total', 'Blocks read, once for each wallet.'],
  ['transfers', 'jejak_ingest_transfers_total', 'Transfers stored that were new.'],
  ['calls', 'jejak_ingest_calls_total', 'Calls to nodes, refused ones included.'],
  ['refusals', 'jejak_ingest_refusals_total', 'Calls that nodes refused.'],
  ['rollBacks', 'jejak_ingest_rollbacks_total', 'Reorganisations that were undone.'],
  ['orphans', 'jejak_ingest_orphans_total', 'Rows that reorganisations made tombstones.'],
] as const

async function measures(store: Store): Promise<Measure[]> {
  const totals = [...(await ingestTotals(store))]
  const flags = await listFlags(store)
  const { sequence } = await store.state()
  return [
    ...counters.map(([field, name, help]) => ({
      name,
      type: 'counter' as const,
      help,
      values: totals.map(([chain, total]) => ({ labels: { chain }, value: total[field] })),
    })),
    {
      name: 'jejak_ingest_head_block',
      type: 'gauge',
      help: 'The highest block that a worker saw.',
      values: totals.map(([chain, { headBlock }]) => ({ labels: { chain }, value: headBlock })),
    },
    {
      name: 'jejak_ingest_lag_blocks',
      type: 'gauge',
      help: 'Blocks that the wallet furthest behind, of those not done, has still to be read.',
      values: totals.map(([chain, { headBlock }]) => ({
        labels: { chain },
        value: lagOf(flags, chain, headBlock),
      })),
    },
    flagMeasure(flags),
    {
      name: 'jejak_store_sequence',
      type: 'gauge',
      help: 'Length of the log.',
      values: [{ labels: {}, value: sequence }],
    },
  ]
}

/** A wallet whose progress is not known yet has everything before it. */
function lagOf(flags: readonly Flag[], chain: string, headBlock: number): number {
  const open = flags.filter(
    ({ id, state }) => id.startsWith(`${chain}:`) && (state === 'waiting' || state === 'working'),
  )
  const behind = open.map(({ progress }) => headBlock - (progress?.throughBlock ?? -1))
  return Math.max(0, ...behind)
}

/** `failed` are parked: nothing is done about them until they are flagged again. */
function flagMeasure(flags: readonly Flag[]): Measure {
  const counts = new Map<string, number>()
  for (const { id, state } of flags) {
    // Accounts, transfers and transactions alike begin with the chain.
    const key = `${id.split(':', 2).join(':')} ${state === 'failed' ? 'parked' : state}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return {
    name: 'jejak_flags',
    type: 'gauge',
    help: 'Flagged wallets by state.',
    values: [...counts].sort().map(([key, value]) => {
      const [chain = '', state = ''] = key.split(' ')
      return { labels: { chain, state }, value }
    }),
  }
}
