import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { buildGeneration } from '../../src/graph/buildColumns.ts'
import { beginningWith, type Columns, shared } from '../../src/graph/columns.ts'
import { createDigestChain, digestStride } from '../../src/graph/contentDigest.ts'
import { createDigester } from '../../src/graph/digester.ts'
import { type Generation, keptOf } from '../../src/graph/generation.ts'
import { type RawRows, RawRowsBuilder } from '../../src/graph/rawRows.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { jejakCsvHeader } from '../../src/ledger/jejakCsv.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'
import { batchOf } from '../../src/ledger/transferBatch.ts'
import type { LogEntry } from '../../src/store/store.ts'
import { anyTransfer } from '../arbitrary/anyTransfer.ts'
import { ether, hash, usd, usdt, wallet } from '../ledger.arbitrary.ts'

/** Many movements between few: long histories, blocks shared by steps, some of them without a known order. */
const busyTransfer: fc.Arbitrary<Transfer> = fc
  .record({
    chain: fc.constantFrom('eip155:1', 'eip155:56') as fc.Arbitrary<ChainId>,
    block: fc.nat(12),
    tx: fc.nat(30),
    known: fc.integer({ min: 0, max: 9 }),
    position: fc.nat(9),
    asset: fc.constantFrom(ether, usd, usdt),
    from: fc.nat(4),
    to: fc.nat(4),
    amount: fc.oneof(fc.bigInt(0n, 99n), fc.constantFrom(2n ** 127n, 2n ** 128n, 2n ** 200n)),
  })
  .map(({ chain, block, tx, known, from, to, ...row }) => ({
    ...row,
    chain,
    block,
    time: 1000 + block * 12,
    tx: hash(tx),
    ...(known === 0 ? {} : { txIndex: tx }),
    kind: 'token',
    ...(from === 0 ? {} : { from: wallet(from) }),
    ...(to === 0 ? {} : { to: wallet(to) }),
    flags: [],
  }))

interface Step {
  readonly rows: readonly Transfer[]
  /** Rows, by any number, that no longer count. */
  readonly dead: readonly number[]
  /** Added to the blocks of the step's rows: histories mostly go forward. */
  readonly later: number
}

const history: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    rows: fc.oneof(
      { weight: 4, arbitrary: fc.array(busyTransfer, { maxLength: 40 }) },
      { weight: 1, arbitrary: fc.array(anyTransfer, { maxLength: 6 }) },
    ),
    dead: fc.oneof(fc.constant([]), fc.array(fc.nat(), { maxLength: 6 })),
    later: fc.nat(3),
  }),
  { minLength: 2, maxLength: 6 },
)

function* entriesOf(steps: readonly Step[]): Generator<readonly LogEntry[]> {
  let sequence = 0
  let later = 0
  let counted: number[] = []
  for (const step of steps) {
    later += step.later * 5
    const entries: LogEntry[] = []
    if (step.rows.length > 0) {
      const rows = step.rows.map((row) => ({
        ...row,
        block: Math.min(row.block + later, Number.MAX_SAFE_INTEGER),
        time: row.time + later * 12,
      }))
      const batch = batchOf(rows)
      const firstSequence = sequence + 1
      entries.push({ type: 'transfers', firstSequence, batch, source: 's', assurance: 1 })
      counted.push(...rows.map((_, i) => firstSequence + i))
      sequence += rows.length
    }
    const dead = new Set(step.dead.map((n) => counted[n % (counted.length || 1)] ?? 0))
    dead.delete(0)
    if (dead.size > 0) {
      entries.push({
        type: 'tombstones',
        firstSequence: sequence + 1,
        dead: Uint32Array.from(dead),
        reason: 'superseded',
      })
      counted = counted.filter((row) => !dead.has(row))
      sequence += dead.size
    }
    yield entries
  }
}

async function fromScratch(raw: RawRows): Promise<Columns> {
  const digester = createDigester()
  return (await buildGeneration(raw, { storeId: 'test', digester })).columns
}

test('an extended generation is the one built from scratch, byte for byte, and leaves those before it alone', async () => {
  const seen = { kept: 0, gone: 0, tail: 0, sharing: 0 }
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      const rows = new RawRowsBuilder(1000)
      const digester = createDigester()
      let generation: Generation | undefined
      const made: { readonly extended: Columns; readonly expected: Columns }[] = []
      for (const entries of entriesOf(steps)) {
        for (const entry of entries) rows.add(entry)
        const raw = rows.done()
        const before = generation
        const change = before ? keptOf(before, raw, rows.takeChanges()) : undefined
        if (!before) rows.takeChanges()
        generation = await buildGeneration(raw, { storeId: 'test', digester, ...change })
        made.push({ extended: generation.columns, expected: await fromScratch(raw) })
        if (!change || !before) continue
        seen.kept += change.kept.transfers
        seen.tail += change.tail.length
        if (change.kept.addresses < before.columns.arrays.addressChain.length) seen.gone++
        const { amount } = generation.columns.arrays
        if (amount.length > 0 && amount.buffer === before.columns.arrays.amount.buffer)
          seen.sharing++
      }
      for (const { extended, expected } of made) expect(extended).toEqual(expected)
    }),
    { numRuns: 400 },
  )
  // What the property is about has happened.
  expect(seen.kept).toBeGreaterThan(2000)
  expect(seen.tail).toBeGreaterThan(2000)
  expect(seen.gone).toBeGreaterThan(20)
  expect(seen.sharing).toBeGreaterThan(20)
}, 120_000)

test('an array that is extended twice gives its room away once', () => {
  const first = beginningWith(shared(Uint8Array, 0), 0, 16)
  first.fill(1)
  const [second, other] = [beginningWith(first, 16, 17), beginningWith(first, 16, 17)]
  second[16] = 2
  other[16] = 3
  expect(second.buffer).toBe(first.buffer)
  expect([...first, second[16], other[16]]).toEqual([...Array(16).fill(1), 2, 3])
})

test('a digest that goes on from any row is the digest of the whole text', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          keep: fc.double({ min: 0, max: 1, noNaN: true }),
          add: fc.nat(3 * digestStride),
        }),
        { minLength: 1, maxLength: 4 },
      ),
      fc.boolean(),
      (changes, exactly) => {
        const chain = createDigestChain()
        let lines: string[] = []
        for (const [i, { keep, add }] of changes.entries()) {
          const whole = (n: number): number => (exactly ? n - (n % digestStride) : n)
          const kept = whole(Math.floor(lines.length * keep))
          const added = Array.from({ length: whole(add) }, (_, n) => `${i} ${n}\n`)
          lines = [...lines.slice(0, kept), ...added]
          const fromRow = kept - (kept % digestStride)
          const texts: Buffer[] = []
          for (let at = fromRow; at < lines.length; at += digestStride)
            texts.push(Buffer.from(lines.slice(at, at + digestStride).join('')))
          const expected = createHash('sha256').update(`${jejakCsvHeader}\n${lines.join('')}`)
          expect(chain.goOn(fromRow, texts)).toBe(expected.digest('hex'))
        }
      },
    ),
    { numRuns: 25 },
  )
})
