import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Account } from '../../src/ledger/account.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import { isUnordered, ledgerOrder } from '../../src/ledger/order.ts'
import { kinds, type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { batchOf, transfersOf } from '../../src/ledger/transferBatch.ts'
import { listFlags, putFlag, readFlag, usualBudget } from '../../src/store/flags.ts'
import type { Store, StorePart } from '../../src/store/store.ts'
import { bestWork, lookAtQueue } from '../../src/store/workQueue.ts'
import { chain, hash, ledgerOf, randomLedger, wallet } from '../ledger.arbitrary.ts'

export interface OpenedStore {
  readonly store: Store
  /** Another connection to the same store, as a second process would have. */
  another(): Promise<Store>
  destroy(): Promise<void>
}

/** Canonical transfers as the log tells them, in ledger order. */
export async function canonical(store: Store): Promise<Transfer[]> {
  const rows = new Map<number, Transfer>()
  for await (const entry of store.readLog(0)) {
    if (entry.type === 'tombstones') for (const dead of entry.dead) rows.delete(dead)
    else {
      let sequence = entry.firstSequence
      for (const transfer of transfersOf(entry.batch)) rows.set(sequence++, transfer)
    }
  }
  return ledgerOrder([...rows.values()])
}

const from = { source: 'node:a', assurance: 1, coverage: [] } as const
const file = { source: 'file:a', assurance: 0, coverage: [] } as const
const plain = ledgerOf([
  [{ from: wallet(1), to: wallet(2), amount: 5n }],
  [
    { from: wallet(2), to: wallet(3), amount: 4n },
    { from: wallet(3), to: wallet(1), amount: 2n ** 256n - 1n },
  ],
  [{ from: wallet(3), to: wallet(4), amount: 1n }],
])

/** What every store promises; see `src/store/store.ts`. The same suite holds each implementation. */
export function describeStore(name: string, open: () => Promise<OpenedStore>): void {
  describe(name, () => {
    let opened: OpenedStore
    let store: Store
    beforeEach(async () => {
      opened = await open()
      store = opened.store
    })
    afterEach(() => opened.destroy())

    /** Another empty store instead of the one before: some places hold one at a time. */
    const fresh = async (): Promise<Store> => {
      await opened.destroy()
      opened = await open()
      store = opened.store
      return store
    }

    test('what was appended comes back exactly, as objects and as columns', async () => {
      await store.append({ transfers: plain.slice(0, 1), ...from })
      await store.append({ transfers: batchOf(plain.slice(1)), ...from })
      expect(await canonical(store)).toEqual(plain)
    })

    test('the same append again changes nothing', async () => {
      const first = await store.append({ transfers: plain, ...from })
      expect(first).toMatchObject({ added: 4, known: 0 })
      const again = await store.append({ transfers: plain, ...from })
      expect(again).toMatchObject({ added: 0, known: 4, sequence: first.sequence })
    })

    test('content does not depend on batch cuts or arrival', async () => {
      await fc.assert(
        fc.asyncProperty(randomLedger, fc.integer({ min: 1, max: 9 }), async (ledger, cut) => {
          const one = await fresh()
          await one.append({ transfers: ledger, ...from })
          const whole = await canonical(one)
          const two = await fresh()
          for (let i = 0; i < ledger.length; i += cut)
            await two.append({ transfers: ledger.slice(i, i + cut).reverse(), ...from })
          expect(await canonical(two)).toEqual(whole)
        }),
        { numRuns: 15 },
      )
    })

    test('coverage and rows are stored together, or neither', async () => {
      const coverage = [
        {
          account: wallet(1),
          kind: 'token' as const,
          fromBlock: 100,
          toBlock: 102,
          assurance: 1 as const,
          source: 'node:a',
        },
      ]
      const failing = store.atomically(async (appender) => {
        await appender.append({ transfers: plain, ...from, coverage })
        throw new Error('stop')
      })
      await expect(failing).rejects.toThrow('stop')
      expect(await canonical(store)).toEqual([])
      expect(await store.coverage(new Set([wallet(1)]))).toEqual([])
      await store.append({ transfers: plain, ...from, coverage })
      expect(await store.coverage(new Set([wallet(1)]))).toEqual(coverage)
      expect(await canonical(store)).toHaveLength(4)
    })

    test('touching claims of one source are one; a claim for many accounts counts for each', async () => {
      const claim = (fromBlock: number, toBlock: number) => ({
        account: wallet(1),
        kind: 'token' as const,
        fromBlock,
        toBlock,
        assurance: 1 as const,
        source: 's',
      })
      await store.append({ transfers: [], ...from, coverage: [claim(0, 9), claim(20, 29)] })
      await store.append({ transfers: [], ...from, coverage: [claim(10, 15)] })
      expect(
        (await store.coverage(new Set([wallet(1)]))).map((c) => [c.fromBlock, c.toBlock]),
      ).toEqual([
        [0, 15],
        [20, 29],
      ])
      const many = {
        chain,
        accounts: [wallet(5), wallet(6)],
        kinds,
        fromBlock: 1,
        toBlock: 2,
        assurance: 0 as const,
        source: 'f',
      }
      await store.append({ transfers: [], ...file, coverage: [many] })
      await store.append({ transfers: [], ...file, coverage: [many] })
      expect(await store.coverage(new Set([wallet(6)]))).toHaveLength(kinds.length)
      expect((await store.coverageClaims()).filter((c) => 'accounts' in c)).toHaveLength(1)
      const claims = await store.coverageClaims()
      expect(await store.coverageMoment()).toEqual({ state: await store.state(), claims })
    })

    test('a rollback orphans rows and cuts coverage; the rows may come back in another block', async () => {
      const coverage = [
        {
          account: wallet(1),
          kind: 'token' as const,
          fromBlock: 0,
          toBlock: 102,
          assurance: 1 as const,
          source: 's',
        },
      ]
      await store.append({ transfers: plain, ...from, coverage })
      expect(await store.rollBack(chain, 101)).toBe(3)
      expect(await canonical(store)).toEqual(plain.slice(0, 1))
      expect((await store.coverage(new Set([wallet(1)])))[0]).toMatchObject({ toBlock: 100 })
      const moved = plain
        .slice(1, 3)
        .map((t) => ({ ...t, block: 105, time: t.time + 60, position: t.position + 9 }))
      await store.append({ transfers: [...moved, ...plain.slice(3)], ...from })
      expect(await canonical(store)).toEqual(
        ledgerOrder([...plain.slice(0, 1), ...moved, ...plain.slice(3)]),
      )
    })

    test('the log is read from a sequence number on, without holes, as of the call', async () => {
      await store.append({ transfers: plain.slice(0, 2), ...from })
      const { sequence } = await store.state()
      await store.append({ transfers: plain.slice(2), ...from })
      await store.rollBack(chain, 102)
      let next = sequence + 1
      for await (const entry of store.readLog(sequence)) {
        expect(entry.firstSequence).toBe(next)
        next += entry.type === 'transfers' ? entry.batch.length : entry.dead.length
      }
      expect(next - 1).toBe((await store.state()).sequence)
    })

    test('transfers touching accounts come in ledger order, each once, page by page', async () => {
      await fc.assert(
        fc.asyncProperty(randomLedger, fc.integer({ min: 1, max: 5 }), async (ledger, limit) => {
          const one = await fresh()
          await one.append({ transfers: [...ledger].reverse(), ...from })
          const accounts = new Set<Account>([wallet(1), wallet(2)])
          const expected = (await canonical(one)).filter(
            (t) => (t.from && accounts.has(t.from)) || (t.to && accounts.has(t.to)),
          )
          const read: Transfer[] = []
          for (let after: string | undefined; ; ) {
            const page = await one.transfersTouching({
              accounts,
              limit,
              ...(after === undefined ? {} : { after }),
            })
            expect(page.transfers.length).toBeLessThanOrEqual(limit)
            read.push(...page.transfers)
            if (page.next === undefined) break
            after = page.next
          }
          expect(read).toEqual(expected)
        }),
        { numRuns: 15 },
      )
    })

    test('one hop from many accounts: earliest first, capped for each, empty for who has nothing', async () => {
      await fc.assert(
        fc.asyncProperty(randomLedger, fc.integer({ min: 1, max: 4 }), async (ledger, cap) => {
          const one = await fresh()
          await one.append({ transfers: [...ledger].reverse(), ...from })
          const accounts = new Set<Account>([wallet(1), wallet(2), wallet(999)])
          const all = await canonical(one)
          const since = all[Math.floor(all.length / 3)]?.time ?? 0
          for (const [direction, end] of [
            ['out', 'from'],
            ['in', 'to'],
          ] as const) {
            const expected = [...accounts].sort().map((account) => {
              const rows = all.filter((t) => t[end] === account && t.time >= since)
              return { account, transfers: rows.slice(0, cap), more: rows.length > cap }
            })
            expect(await one.expand({ accounts, direction, since, cap })).toEqual(expected)
          }
        }),
        { numRuns: 15 },
      )
    })

    test('surroundings are whole transactions, and whole blocks where no source knew the order', async () => {
      const seen = { rows: 0, without: 0 }
      await fc.assert(
        fc.asyncProperty(randomLedger, fc.nat(25), async (ledger, number) => {
          const one = await fresh()
          await one.append({ transfers: [...ledger].reverse(), ...from })
          await one.append({ transfers: ledger.slice(3), ...file })
          await one.rollBack(chain, 104)
          const accounts = new Set<Account>([wallet(1), wallet(999)])
          // What came from nobody and went to nobody touches no account.
          const all = (await canonical(one)).filter((t) => t.from ?? t.to)
          const transactions = [{ chain, tx: hash(number) }]
          const named = new Set(
            all
              .filter((t) => accounts.has(t.from as Account) || accounts.has(t.to as Account))
              .map(({ tx }) => tx),
          ).add(hash(number))
          const loose = new Set(
            all
              .filter(
                ({ tx, block }) =>
                  named.has(tx) && isUnordered(all.filter((t) => t.block === block)),
              )
              .map(({ block }) => block),
          )
          const expected = all.filter(({ tx, block }) => named.has(tx) || loose.has(block))
          const read: Transfer[] = []
          for await (const part of one.surroundings({ accounts, transactions })) read.push(...part)
          expect(ledgerOrder(read.filter((t) => t.from ?? t.to))).toEqual(expected)
          seen.rows += expected.length
          seen.without += all.length - expected.length
        }),
        { numRuns: 20 },
      )
      expect(Math.min(seen.rows, seen.without)).toBeGreaterThan(20)
    })

    test('golden 35: one wallet from node, explorer and file in any order is counted once', async () => {
      const twice = ledgerOf([
        [
          { from: wallet(1), to: wallet(2), amount: 7n },
          { from: wallet(1), to: wallet(2), amount: 7n },
        ],
      ])
      const told = [
        { transfers: twice.map((t) => ({ ...t, position: t.position + 40 })), ...from },
        {
          transfers: twice.map((t) => ({ ...t, position: t.position + 900 })),
          source: 'file:explorer',
          assurance: 0 as const,
          coverage: [],
        },
        { transfers: twice, ...file },
      ]
      for (const order of [
        [0, 1, 2],
        [2, 1, 0],
        [1, 2, 0],
        [1, 0, 2],
      ]) {
        const one = await fresh()
        for (const i of order) await one.append(told[i] as (typeof told)[number])
        expect((await canonical(one)).map(({ position }) => position)).toEqual([40, 41])
        expect(await one.findings()).toEqual([])
      }
    })

    test('what another source told before, in all its rows, is not stored again', async () => {
      await store.append({ transfers: plain, ...from })
      expect(await store.append({ transfers: plain, ...file })).toMatchObject({
        added: 0,
        known: 4,
      })
      await store.rollBack(chain, 0)
      expect(await store.append({ transfers: plain, ...file })).toMatchObject({ added: 4 })
      expect(await store.append({ transfers: plain, ...from })).toMatchObject({
        added: 4,
        superseded: 4,
      })
      expect(await canonical(store)).toEqual(plain)
    })

    test('contradicting content is a finding, and the better assurance counts', async () => {
      await store.append({ transfers: plain.slice(0, 1), ...file })
      const told = await store.append({
        transfers: plain.slice(0, 1).map((t) => ({ ...t, amount: 6n })),
        ...from,
      })
      expect(told.findings).toMatchObject([{ kind: 'content' }])
      expect((await canonical(store)).map(({ amount }) => amount)).toEqual([6n])
      expect(await store.findings()).toHaveLength(1)
    })

    test('a block has one time and time never decreases: refused from a file, a finding from a node', async () => {
      await store.append({ transfers: plain, ...from })
      const early = { ...(plain[0] as Transfer), tx: hash(77), block: 200, time: 5 }
      await expect(store.append({ transfers: [early], ...file })).rejects.toMatchObject({
        code: 'transfer.invalid',
        facts: { field: 'time', row: 0 },
      })
      expect(await canonical(store)).toEqual(plain)
      expect((await store.append({ transfers: [early], ...from })).findings).toMatchObject([
        { kind: 'time' },
      ])
    })

    test('observations and transactions are found by id and hash', async () => {
      await store.append({ transfers: plain, ...from })
      const [row] = plain
      if (!row) throw new RangeError('no row')
      expect(await store.observations([transferId(row)])).toEqual([
        { transfer: row, source: 'node:a', assurance: 1 },
      ])
      expect(await store.transfersOfTransaction(chain, hash(2))).toEqual(plain.slice(1, 3))
      expect(await store.transfersOfTransaction(chain, hash(99))).toEqual([])
    })

    test('tags are replaced by account, source, category and label, and hostile text is only text', async () => {
      const label = "'; DROP TABLE tag; -- \u202e<script>"
      const given = {
        account: wallet(1),
        label,
        category: 'exchange',
        source: 's',
        confidence: 50,
        sourceRank: 1,
        mayStop: true,
      }
      expect(await store.putTags([given])).toEqual({ added: 1, replaced: 0 })
      expect(await store.putTags([{ ...given, confidence: 70, validTo: 9 }])).toEqual({
        added: 0,
        replaced: 1,
      })
      expect(await store.tags()).toEqual([{ ...given, confidence: 70, validTo: 9 }])
      expect(await store.tags(new Set([wallet(2)]))).toEqual([])
    })

    test('wallets, payments and transactions are flagged, and what is read first for each is queued', async () => {
      const said = { reason: 'r', source: 's' }
      const tx = hash(7)
      const payment = transferId({ chain, tx, kind: 'token', position: 3 })
      const transaction = { chain, tx }
      for (const what of [{ account: wallet(1) }, { payment }, { transaction }])
        await putFlag(store, { ...what, ...said }, new Date(0))
      const ids = [wallet(1), `${chain}:${tx}`, payment]
      expect((await listFlags(store)).map(({ id }) => id)).toEqual(ids.toSorted())
      const queued = await bestWork(store)
      expect(queued.map(({ id, priority }) => [id, priority])).toEqual([
        [`${chain}:${tx}`, 1],
        [wallet(1), 1],
      ])
      expect(queued[0]?.own).toEqual([`${chain}:${tx}`, payment])
      const { fingerprint } = await lookAtQueue(store)
      await putFlag(store, { payment, ...said, budget: { calls: 5 } }, new Date(0))
      expect((await readFlag(store, payment))?.budget).toEqual({ ...usualBudget, calls: 5 })
      expect((await lookAtQueue(store)).fingerprint).not.toBe(fingerprint)
    })

    test('documents are changed by compare-and-set alone', async () => {
      const first = await store.writeDocument('c', 'id', 0, { n: 1 })
      expect(first.version).toBe(1)
      await expect(store.writeDocument('c', 'id', 0, { n: 2 })).rejects.toMatchObject({
        code: 'document.conflict',
        retryable: true,
      })
      await store.writeDocument('c', 'id', 1, { n: 2 })
      await expect(store.deleteDocument('c', 'id', 1)).rejects.toMatchObject({
        code: 'document.conflict',
      })
      expect(await store.readDocument('c', 'id')).toMatchObject({ version: 2, value: { n: 2 } })
      await store.deleteDocument('c', 'id', 2)
      expect(await store.readDocument('c', 'id')).toBeUndefined()
    })

    test('a fence that no longer holds keeps rows, coverage, roll backs and documents out', async () => {
      const other = await opened.another()
      const { version } = await store.writeDocument('lease', 'x', 0, { owner: 'me' })
      const fence = [{ collection: 'lease', id: 'x', version }]
      const claim = { account: wallet(1), kind: 'token' as const, fromBlock: 0, toBlock: 9 }
      const coverage = [{ ...claim, assurance: 1 as const, source: 'node:a' }]
      await store.append({ transfers: plain.slice(0, 2), ...from, fence })
      await store.writeDocument('c', 'id', 0, 1, fence)
      await other.writeDocument('lease', 'x', version, { owner: 'another' })
      const refusal = {
        code: 'document.conflict',
        facts: { collection: 'lease', id: 'x', expected: 1, found: 2 },
      }
      const { sequence } = await store.state()
      await expect(
        store.append({ transfers: plain, ...from, coverage, fence }),
      ).rejects.toMatchObject(refusal)
      await expect(store.rollBack(chain, 0, fence)).rejects.toMatchObject(refusal)
      await expect(store.writeDocument('c', 'id', 1, 2, fence)).rejects.toMatchObject(refusal)
      await expect(store.writeDocument('c', 'new', 0, 2, fence)).rejects.toMatchObject(refusal)
      await expect(
        store.atomically((appender) => appender.append({ transfers: plain, ...from, fence })),
      ).rejects.toMatchObject(refusal)
      expect(await canonical(store)).toEqual(plain.slice(0, 2))
      expect((await store.state()).sequence).toBe(sequence)
      expect(await store.coverage(new Set([wallet(1)]))).toEqual([])
      expect(await store.readDocument('c', 'id')).toMatchObject({ version: 1, value: 1 })
      expect(await store.readDocument('c', 'new')).toBeUndefined()
      const now = [{ collection: 'lease', id: 'x', version: 2 }]
      await store.append({ transfers: plain, ...from, coverage, fence: now })
      expect(await canonical(store)).toEqual(plain)
      const none = [{ collection: 'lease', id: 'never', version: 1 }]
      await expect(store.append({ transfers: plain, ...from, fence: none })).rejects.toMatchObject({
        code: 'document.conflict',
      })
      expect((await other.check()).damage).toEqual([])
      await other.close()
    })

    test('who writes behind a fence and who takes it away at once: never both', async () => {
      const other = await opened.another()
      for (let round = 1; round <= 12; round++) {
        const known = await store.readDocument('lease', 'race')
        const held = await store.writeDocument('lease', 'race', known?.version ?? 0, round)
        const fence = [{ collection: 'lease', id: 'race', version: held.version }]
        const seen = async (): Promise<number> => {
          const taken = await other.writeDocument('lease', 'race', held.version, -round)
          expect(taken.version).toBe(held.version + 1)
          return (await canonical(other)).length
        }
        const row = { ...(plain[0] as Transfer), tx: hash(1_000 + round), block: 200 + round }
        const [written, afterTaking] = await Promise.allSettled([
          store.append({ transfers: [{ ...row, time: row.time + 9_999 }], ...from, fence }),
          seen(),
        ])
        if (afterTaking.status === 'rejected') throw afterTaking.reason
        // What is written after the fence was taken away would show only now.
        const rows = (await canonical(store)).length
        expect(rows).toBe(afterTaking.value)
        if (written.status === 'rejected')
          expect(written.reason).toMatchObject({ code: 'document.conflict' })
      }
      await other.close()
    })

    test.each([2, 8])('%i writers at once lose no increment', async (writers) => {
      const stores = [
        store,
        ...(await Promise.all(Array.from({ length: writers - 1 }, () => opened.another()))),
      ]
      await store.writeDocument('count', 'n', 0, 0)
      const add = async (one: Store): Promise<void> => {
        for (let done = 0; done < 25; ) {
          const known = await one.readDocument('count', 'n')
          try {
            await one.writeDocument('count', 'n', known?.version ?? 0, Number(known?.value) + 1)
            done++
          } catch (error) {
            if (!(error instanceof KnownError && error.code === 'document.conflict')) throw error
          }
        }
      }
      await Promise.all(stores.map(add))
      expect((await store.readDocument('count', 'n'))?.value).toBe(writers * 25)
      await Promise.all(stores.slice(1).map((one) => one.close()))
    })

    test('two writers of overlapping rows lose and double nothing', async () => {
      const other = await opened.another()
      const ledger = ledgerOf(
        Array.from({ length: 60 }, (_, i) => [
          { from: wallet(i % 7), to: wallet((i + 1) % 7), amount: BigInt(i + 1) },
        ]),
      )
      const write = async (one: Store, rows: readonly Transfer[]): Promise<void> => {
        for (let i = 0; i < rows.length; i += 5)
          await one.append({ transfers: rows.slice(i, i + 5), ...from })
      }
      await Promise.all([write(store, ledger.slice(0, 40)), write(other, ledger.slice(20))])
      expect(await canonical(store)).toEqual(ledger)
      expect((await store.check()).damage).toEqual([])
      await other.close()
    })

    test('all that a store holds can be taken out and put into another, twice', async () => {
      const claim = { kinds, fromBlock: 1, toBlock: 300, assurance: 0 as const, source: 'f' }
      const many = { chain, accounts: [wallet(5), wallet(6)], ...claim }
      const single = { account: wallet(1), kind: 'token' as const, fromBlock: 3, toBlock: 9 }
      await store.append({ transfers: plain, ...file, coverage: [many] })
      await store.append({ transfers: plain.slice(0, 3), ...from })
      await store.append({
        transfers: plain.slice(3).map((t) => ({ ...t, amount: 9n, flags: ['odd'] })),
        ...from,
        coverage: [{ ...single, assurance: 1, source: 'node:a' }],
      })
      await store.rollBack(chain, 102)
      await store.append({ transfers: plain.slice(3), ...file })
      await store.putTags([
        {
          account: wallet(7),
          label: 'a \u{1f600}',
          category: 'exchange',
          source: 's',
          confidence: 5,
          sourceRank: 1,
          mayStop: true,
          validFrom: 4,
        },
      ])
      await store.writeDocument('c', 'b', 0, { n: [1, null] })
      await store.writeDocument('c', 'b', 1, { n: [2, null] })
      const parts: StorePart[] = []
      for await (const part of store.dump(0)) parts.push(part)
      const before = await canonical(store)
      const other = await fresh()
      for (const part of [...parts, ...parts]) await other.restore(part)
      const again: StorePart[] = []
      for await (const part of other.dump(0)) again.push(part)
      expect(again).toEqual(parts)
      expect(await canonical(other)).toEqual(before)
      expect((await other.check()).damage).toEqual([])
      expect(await other.writeDocument('c', 'b', 2, {})).toMatchObject({ version: 3 })
      const late = parts.find((part) => part.type === 'log')
      const [entry] = late?.type === 'log' ? late.entries : []
      if (!entry) throw new RangeError('no entry was dumped')
      await expect(
        other.restore({ type: 'log', entries: [{ ...entry, firstSequence: 999 }] }),
      ).rejects.toMatchObject({ code: 'store.not-empty' })
    })

    test('a sound store passes its check', async () => {
      await store.append({ transfers: plain, ...from })
      await store.rollBack(chain, 102)
      expect(await store.check()).toMatchObject({ rows: 4, canonical: 3, orphaned: 1, damage: [] })
    })
  })
}
