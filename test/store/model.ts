import fc from 'fast-check'
import { expect } from 'vitest'
import { ledgerOrder } from '../../src/ledger/order.ts'
import { type Assurance, type Observation, reconcile } from '../../src/ledger/reconcile.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'
import type { Store } from '../../src/store/store.ts'
import { chain, hash, usd, wallet } from '../ledger.arbitrary.ts'
import { canonical } from './contract.ts'

/**
 * Random histories of appends and rollbacks against the plainest store there could be: a list of what each source
 * said, reconciled anew for every question.
 */

type Step =
  | { readonly source: SourceName; readonly transfers: readonly Transfer[] }
  | { readonly rollBack: number }

type SourceName = keyof typeof assurances

const assurances = { node: 1, second: 1, explorer: 0, file: 0 } as const satisfies Record<
  string,
  Assurance
>

class PlainStore {
  #observations: Observation[] = []

  append(source: SourceName, transfers: readonly Transfer[]): void {
    for (const transfer of transfers) {
      const told = { transfer, source, assurance: assurances[source] }
      if (!this.#observations.some((known) => sameTold(known, told))) this.#observations.push(told)
    }
  }

  rollBack(fromBlock: number): void {
    this.#observations = this.#observations.filter(({ transfer }) => transfer.block < fromBlock)
  }

  canonical(): Transfer[] {
    const byTx = Map.groupBy(this.#observations, ({ transfer }) => transfer.tx)
    const rows = [...byTx.values()].flatMap((told) => reconcile(told).canonical)
    return ledgerOrder(rows.map(({ transfer }) => transfer))
  }
}

function sameTold(a: Observation, b: Observation): boolean {
  return a.source === b.source && told(a.transfer) === told(b.transfer)
}

function told(transfer: Transfer): string {
  return JSON.stringify(transfer, (_, value: unknown) =>
    typeof value === 'bigint' ? `${value}` : value,
  )
}

/** What really happened: few movements, many of them equal, in a few transactions. */
const happened: readonly Transfer[] = Array.from({ length: 14 }, (_, i) => ({
  chain,
  block: 100 + Math.floor(i / 4),
  time: 5_000 + Math.floor(i / 4),
  tx: hash(1 + Math.floor(i / 4)),
  txIndex: 0,
  kind: 'token',
  position: i % 4,
  asset: usd,
  from: wallet(1),
  to: wallet(i % 3 === 0 ? 3 : 2),
  amount: 7n,
  flags: [],
}))

/** How each source numbers and words it; the two files number alike, and neither knows the order. */
function asToldBy(source: SourceName, row: Transfer): Transfer {
  const position = row.position + { node: 40, second: 40, explorer: 0, file: 0 }[source]
  if (assurances[source] === 1) return { ...row, position }
  const { txIndex: _, ...plain } = row
  return { ...plain, position }
}

/** Rows from one place on, and back to the beginning: the order inside a batch is nobody's promise. */
function turned<T>(rows: readonly T[], by: number): T[] {
  const at = rows.length === 0 ? 0 : by % rows.length
  return [...rows.slice(at), ...rows.slice(0, at)]
}

/**
 * A source tells some transactions, perhaps without the one row that it misses now and then, cut into batches anywhere
 * but between the equal movements of a transaction: of those a source has to say in one batch how many there were. It
 * may miss a row and tell it later; it does not tell one half of equal movements today and the other half tomorrow.
 */
const telling = fc
  .record({
    source: fc.constantFrom<SourceName>('node', 'second', 'explorer', 'file'),
    transactions: fc.subarray([1, 2, 3, 4], { minLength: 1 }),
    misses: fc.boolean(),
    turn: fc.nat({ max: 20 }),
    cut: fc.integer({ min: 1, max: 8 }),
  })
  .map(({ source, transactions, misses, turn, cut }) => (missing: Missing): Step[] => {
    const rows = happened
      .filter(
        (row, i) =>
          !(misses && i === missing[source]) && transactions.some((n) => hash(n) === row.tx),
      )
      .map((row) => asToldBy(source, row))
    const equals = [...Map.groupBy(rows, (row) => `${row.tx} ${row.to}`).values()]
    const order = turned(equals, turn)
    return Array.from({ length: Math.ceil(order.length / cut) }, (_, i) => ({
      source,
      transfers: order.slice(i * cut, i * cut + cut).flat(),
    }))
  })

/** The row that each source misses now and then. */
type Missing = Readonly<Record<SourceName, number>>

const rollingBack = fc
  .integer({ min: 99, max: 104 })
  .map((rollBack) => (): Step[] => [{ rollBack }])

const row = fc.nat({ max: 13 })

const history = fc
  .tuple(
    fc.record({ node: row, second: row, explorer: row, file: row }),
    fc.array(fc.oneof({ weight: 4, arbitrary: telling }, { weight: 1, arbitrary: rollingBack }), {
      minLength: 1,
      maxLength: 8,
    }),
  )
  .map(([missing, steps]) => steps.flatMap((step) => step(missing)))

/** Plays a history on two connections in turn, as two processes would, and on the plain store. */
async function play(stores: readonly [Store, Store], steps: readonly Step[]): Promise<PlainStore> {
  const plain = new PlainStore()
  for (const [i, step] of steps.entries()) {
    const store = stores[(i % 2) as 0 | 1]
    if ('rollBack' in step) {
      plain.rollBack(step.rollBack)
      await store.rollBack(chain, step.rollBack)
      continue
    }
    plain.append(step.source, step.transfers)
    const { source, transfers } = step
    await store.append({ transfers, source, assurance: assurances[source], coverage: [] })
  }
  return plain
}

/** Two connections to one empty store, and its end. */
export interface ModelStores {
  readonly stores: readonly [Store, Store]
  destroy(): Promise<void>
}

/** Plays random histories; after each the store must hold what the plain list does. */
export async function comparedWithPlainList(
  open: () => Promise<ModelStores>,
  numRuns: number,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      const { stores, destroy } = await open()
      try {
        const plain = await play(stores, steps)
        const stored = await canonical(stores[0])
        expect(stored).toEqual(plain.canonical())
        expect(await stores[0].check()).toMatchObject({ damage: [], canonical: stored.length })
      } finally {
        await destroy()
      }
    }),
    { numRuns },
  )
}
