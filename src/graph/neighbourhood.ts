import type { Account } from '../ledger/account.ts'
import type { ChainId } from '../ledger/chain.ts'
import { KnownError } from '../ledger/errors.ts'
import type { Transfer } from '../ledger/transfer.ts'
import { batchOf } from '../ledger/transferBatch.ts'
import type { Store } from '../store/store.ts'
import { buildGeneration } from './buildColumns.ts'
import { createGraph } from './createGraph.ts'
import type { Digester } from './digester.ts'
import type { Graph } from './graph.ts'
import { RawRowsBuilder } from './rawRows.ts'
import { type LoadedPart, type Needs, recordedGraph, transactionName } from './recordedGraph.ts'
import type { LedgerSummary } from './summary.ts'

/**
 * Questions to a ledger that is larger than memory. A question is asked of a graph of the part that is loaded; what it
 * asked for and the part does not hold is read from the store, and it is asked again, until nothing was missing. So
 * it has the answer of the whole ledger, byte for byte, as long as it is a pure function of the graph.
 */

/** Accounts in which money that an answer follows came to rest: those whose balances it depends on. */
export type Keeps<T> = (answer: T) => Iterable<Account>

export interface NeighbourhoodOptions {
  readonly store: Pick<Store, 'surroundings' | 'expand'>
  /** Of the log as it is now. */
  readonly summary: LedgerSummary
  /** Most transfers to load. */
  readonly maxRows: number
}

/**
 * Runs a question over as much of the ledger as it needs.
 *
 * @param keeps - so that the histories of all others need not be read. Default: all accounts that were asked for.
 * Cost: rounds × (one bounded reading of the store + the question over what is loaded); a trace takes two or three
 * rounds a hop.
 *
 * @throws KnownError `graph.too-large` when it needs more than `maxRows`, what `work` throws, `store.*`
 */
export async function askNeighbourhood<T>(
  options: NeighbourhoodOptions,
  work: (graph: Graph) => T,
  keeps?: Keeps<T>,
): Promise<T> {
  const part = createPart(options)
  for (;;) {
    const { graph, needs } = recordedGraph(await part.loaded())
    const outcome = attempted(() => work(graph))
    const missing = needs()
    const resting = 'answer' in outcome ? (keeps?.(outcome.answer) ?? missing.moments) : []
    for (const account of [...missing.followed, ...resting])
      if (missing.moments.has(account)) missing.accounts.add(account)
    // Who may turn out to be a hub is counted first: of a hub no more is asked.
    for (const account of missing.receivers) missing.accounts.delete(account)
    const isEnough =
      missing.accounts.size +
        missing.existence.size +
        missing.receivers.size +
        missing.transactions.size ===
      0
    if (isEnough || isFinal(outcome)) {
      if ('error' in outcome) throw outcome.error
      return outcome.answer
    }
    await part.load(missing)
  }
}

type Outcome<T> = { readonly answer: T } | { readonly error: unknown }

function attempted<T>(work: () => T): Outcome<T> {
  try {
    return { answer: work() }
  } catch (error) {
    return { error }
  }
}

/** A refusal may come from what is missing; a time that is over or a fault does not. */
function isFinal(outcome: Outcome<unknown>): boolean {
  if (!('error' in outcome)) return false
  return !(outcome.error instanceof KnownError) || outcome.error.code === 'request.timeout'
}

interface Part {
  loaded(): Promise<LoadedPart>
  load(needs: Needs): Promise<void>
}

/** Accounts and transactions of one reading; the contract of the store. */
const namesAtOnce = 1_000

/** Payments of an account that are read at once to count whom it paid. */
const paymentsAtOnce = 2_000

function createPart({ store, summary, maxRows }: NeighbourhoodOptions): Part {
  const rows = new RawRowsBuilder(0, summary)
  /** Transactions that are loaded, by block and name. */
  const places = new Set<string>()
  const whole = new Set<Account>()
  const known = new Set<Account>()
  const transactions = new Set<string>()
  /** Time from which payments are still to be read, of accounts with many. */
  const paidUntil = new Map<Account, number>()
  let count = 0
  let graph: Promise<Graph> | undefined

  async function add(transfers: readonly Transfer[], before: ReadonlySet<string>): Promise<void> {
    const fresh = transfers.filter((transfer) => !before.has(placeOf(transfer)))
    if (fresh.length === 0) return
    if (count + fresh.length > maxRows) throw tooLarge(count + fresh.length, maxRows)
    rows.reserve(count + fresh.length)
    const batch = batchOf(fresh)
    rows.add({ type: 'transfers', firstSequence: count + 1, batch, source: '', assurance: 0 })
    count += fresh.length
    graph = undefined
  }

  /** Whole transactions come in one reading: those of an earlier one are known by then. */
  async function read(accounts: readonly Account[], named: readonly string[]): Promise<void> {
    const before = new Set(places)
    const asked = { accounts: new Set(accounts), transactions: named.map(transactionOf) }
    for await (const part of store.surroundings(asked)) {
      await add(part, before)
      for (const transfer of part) places.add(placeOf(transfer))
    }
    for (const account of accounts) {
      whole.add(account)
      known.add(account)
    }
    for (const name of named) transactions.add(name)
  }

  async function payments(needs: Needs): Promise<void> {
    const groups = Map.groupBy(needs.receivers, (account) => paidUntil.get(account) ?? 0)
    for (const [since, group] of groups) {
      for (const part of inParts(group)) {
        const accounts = new Set(part)
        const options = { direction: 'out', since, cap: paymentsAtOnce } as const
        for (const { account, transfers, more } of await store.expand({ accounts, ...options })) {
          const last = transfers.at(-1)?.time ?? since
          // Few payments, or more in one moment than are read at once: then all of its history.
          if (!more || last === since) needs.accounts.add(account)
          else
            for (const { chain, tx } of transfers)
              needs.transactions.add(transactionName(chain, tx))
          paidUntil.set(account, last)
        }
      }
    }
  }

  async function existing(needs: Needs): Promise<void> {
    for (const part of inParts([...needs.existence])) {
      const accounts = new Set(part)
      for (const direction of ['in', 'out'] as const) {
        for (const { transfers } of await store.expand({ accounts, direction, cap: 1 }))
          for (const { chain, tx } of transfers) needs.transactions.add(transactionName(chain, tx))
      }
      for (const account of part) known.add(account)
    }
  }

  return {
    async load(needs) {
      await payments(needs)
      await existing(needs)
      const accounts = [...inParts([...needs.accounts])]
      const named = [...inParts([...needs.transactions].filter((name) => !transactions.has(name)))]
      for (let i = 0; i < Math.max(accounts.length, named.length); i++)
        await read(accounts[i] ?? [], named[i] ?? [])
    },
    async loaded() {
      graph ??= graphOf(rows, summary)
      return { graph: await graph, summary, whole, known, transactions }
    },
  }
}

function* inParts<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let i = 0; i < all.length; i += namesAtOnce) yield all.slice(i, i + namesAtOnce)
}

function placeOf({ chain, block, tx }: Transfer): string {
  return `${block} ${transactionName(chain, tx)}`
}

function transactionOf(name: string): { readonly chain: ChainId; readonly tx: string } {
  const end = name.indexOf(' ')
  return { chain: name.slice(0, end) as ChainId, tx: name.slice(end + 1) }
}

/** The graph of what is loaded; the digest is that of the whole ledger. */
async function graphOf(rows: RawRowsBuilder, summary: LedgerSummary): Promise<Graph> {
  const digester: Digester = { digest: async () => summary.digest, close: async () => undefined }
  const generation = await buildGeneration(rows.done(), { storeId: summary.storeId, digester })
  return createGraph(generation.columns)
}

function tooLarge(rows: number, maxRows: number): KnownError {
  return new KnownError(
    'graph.too-large',
    `the question needs more than the ${maxRows.toLocaleString('en')} transfers that may be in memory at once`,
    {
      facts: { rows, maxRows },
      hint: 'Raise JEJAK_MAX_GRAPH_BYTES, or ask for less: fewer seeds, fewer hops, a larger minShare.',
    },
  )
}
