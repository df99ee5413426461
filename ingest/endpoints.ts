import { z } from 'zod'
import type { AssetId } from '../src/ledger/asset.ts'
import { KnownError } from '../src/ledger/errors.ts'
import type { Store } from '../src/store/store.ts'
import { connectChain, type NodeReader } from './rpc/chainReader.ts'
import { type Clock, wallClock } from './rpc/clock.ts'
import { createFailover, type Failover } from './rpc/failover.ts'
import { createNode, type Endpoint, endpointName, type NodeOptions } from './rpc/node.ts'

/** Collection of the documents that hold what is known about endpoints: by name, which holds no secret. */
const endpointCollection = 'endpoint'

/** Where another endpoint stands by, one that is silent is not waited for long. */
const triesBesideOthers = 3

const rate = z.object({
  perSecond: z.number().positive().nullable(),
  patienceMs: z.number().positive(),
  step: z.number().min(1),
})
const window = z.object({
  blocks: z.number().min(1),
  told: z.number().min(1).nullable(),
  results: z.number().min(1).nullable(),
})
const Remembered = z.object({
  chain: z.string(),
  traces: z.string(),
  rate: rate.optional(),
  batches: z.boolean().optional(),
  windows: z.record(z.string(), window).optional(),
})

/** The endpoints that an operator configured, as one reader that remembers what it learned about each. */
export interface Endpoints {
  readonly reader: Failover<NodeReader>
  /** Calls of all endpoints so far. */
  readonly calls: number
  /** Of these, those that were refused, for good or for now. */
  readonly refusals: number
  /** Keeps in the store what was learned, where it changed. */
  remember(): Promise<void>
}

export interface EndpointsOptions {
  readonly store: Store
  readonly urls: readonly string[]
  readonly isWrapped: (asset: AssetId) => boolean
  readonly freezable?: ReadonlySet<AssetId>
  readonly node: Pick<NodeOptions, 'signal' | 'tries' | 'allowPrivate' | 'exchange'>
  /** Name without secrets, and whether it went away or is read from now. */
  readonly tell: (change: {
    readonly name: string
    readonly away: boolean
    readonly why: string
  }) => void
  readonly clock?: Clock
}

/**
 * @throws KnownError `rpc.*` when none answers, `chain.mismatch`, `store.*`
 */
export async function connectEndpoints(options: EndpointsOptions): Promise<Endpoints> {
  const clock = options.clock ?? wallClock
  const nodes = new Map<string, { readonly node: Endpoint; reader?: NodeReader }>()
  const sources = options.urls.map((url, i) => {
    const name = endpointName(url)
    return {
      name,
      async connect() {
        const known = await readRemembered(options.store, name)
        const node = createNode(url, {
          ...(options.urls.length > 1 ? { tries: triesBesideOthers } : {}),
          ...options.node,
          clock,
          ...(known
            ? { known: { ...given('rate', known.rate), ...given('batches', known.batches) } }
            : {}),
        })
        nodes.set(`${i}`, { node })
        const reader = await connectChain(node, options.isWrapped, {
          clock,
          ...given('freezable', options.freezable),
          windows: (chain) => (known?.chain === chain ? known.windows : undefined),
        })
        nodes.set(`${i}`, { node, reader })
        await remember(options.store, node, reader)
        return reader
      },
    }
  })
  const reader = await createFailover(sources, { clock, tell: options.tell })
  return {
    reader,
    get calls() {
      return [...nodes.values()].reduce((sum, { node }) => sum + node.calls, 0)
    },
    get refusals() {
      return [...nodes.values()].reduce((sum, { node }) => sum + node.refusals, 0)
    },
    async remember() {
      for (const { node, reader: connected } of nodes.values())
        if (connected) await remember(options.store, node, connected)
    },
  }
}

function given<K extends string, V>(name: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [P in K]: V })
}

/** What is there, unless another version of the program wrote it in another form. */
async function readRemembered(
  store: Store,
  name: string,
): Promise<z.infer<typeof Remembered> | undefined> {
  const document = await store.readDocument(endpointCollection, name)
  return document ? Remembered.safeParse(document.value).data : undefined
}

async function remember(store: Store, node: Endpoint, reader: NodeReader): Promise<void> {
  const value = {
    chain: reader.chain,
    traces: reader.traces,
    ...node.known(),
    windows: reader.windows(),
    parked: node.parked?.reason ?? null,
  }
  const known = await store.readDocument(endpointCollection, node.name)
  if (known && JSON.stringify(known.value) === JSON.stringify(value)) return
  await store
    .writeDocument(endpointCollection, node.name, known?.version ?? 0, value)
    .catch((error: unknown) => {
      // Another worker was first; what it learned is as good.
      if (!(error instanceof KnownError) || error.code !== 'document.conflict') throw error
    })
}
