import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { KnownError } from '../../src/ledger/errors.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { ledgerOf, wallet } from '../ledger.arbitrary.ts'
import { canonical } from '../store/contract.ts'
import { closeFixture, cypher, emptyStore, neo4jUri, uri } from './fixture.ts'

afterAll(closeFixture)

describe.skipIf(neo4jUri === undefined)('races on a real server', () => {
  let stores: Store[] = []

  beforeEach(async () => {
    stores = [await emptyStore()]
  })
  afterEach(async () => {
    for (const store of stores) await store.close()
  })

  async function several(count: number): Promise<Store[]> {
    while (stores.length < count) stores.push(await openStore(uri()))
    return stores
  }

  function isConflict(error: unknown): boolean {
    return error instanceof KnownError && error.code === 'document.conflict'
  }

  test.each([2, 8])(
    '%i writers, a thousand increments each: every acknowledged one counts',
    async (writers) => {
      const all = await several(writers)
      await all[0]?.writeDocument('count', 'n', 0, 0)
      let acknowledged = 0
      const add = async (store: Store): Promise<void> => {
        let known = await store.readDocument('count', 'n')
        for (let done = 0; done < 1_000; ) {
          try {
            known = await store.writeDocument(
              'count',
              'n',
              known?.version ?? 0,
              Number(known?.value) + 1,
            )
            acknowledged++
            done++
          } catch (error) {
            if (!isConflict(error)) throw error
            known = await store.readDocument('count', 'n')
          }
        }
      }
      await Promise.all(all.map(add))
      const { version, value } = (await all[0]?.readDocument('count', 'n')) ?? {}
      expect([value, version, acknowledged]).toEqual([
        writers * 1_000,
        writers * 1_000 + 1,
        writers * 1_000,
      ])
    },
    600_000,
  )

  test('four claimers, four hundred leases: each is granted once', async () => {
    const all = await several(4)
    const granted: string[] = []
    for (let round = 0; round < 400; round++) {
      const known = await all[0]?.readDocument('lease', 'x')
      const claims = await Promise.allSettled(
        all.map((store, i) =>
          store.writeDocument('lease', 'x', known?.version ?? 0, { owner: i, round }),
        ),
      )
      const won = claims.flatMap((claim, i) =>
        claim.status === 'fulfilled' ? [`${round} by ${i}`] : [],
      )
      expect(won).toHaveLength(1)
      for (const claim of claims)
        if (claim.status === 'rejected') expect(isConflict(claim.reason)).toBe(true)
      granted.push(...won)
    }
    expect(granted).toHaveLength(400)
    expect((await all[0]?.readDocument('lease', 'x'))?.version).toBe(400)
  }, 120_000)

  test('a document removed while others wait to change it: they hear of a conflict', async () => {
    const all = await several(4)
    for (let round = 0; round < 40; round++) {
      const made = await (all[0] as Store).writeDocument('gone', 'x', 0, round)
      const ended = await Promise.allSettled([
        (all[0] as Store).deleteDocument('gone', 'x', made.version),
        ...all.slice(1).map((store) => store.writeDocument('gone', 'x', made.version, 'changed')),
      ])
      expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const end of ended)
        if (end.status === 'rejected') expect(isConflict(end.reason)).toBe(true)
      const left = await (all[0] as Store).readDocument('gone', 'x')
      if (left) await (all[0] as Store).deleteDocument('gone', 'x', left.version)
    }
  }, 120_000)

  test('the same transfers from two wallets at once, in other batches and another order, are stored and drawn once', async () => {
    const [one, two] = (await several(2)) as [Store, Store]
    const ledger = ledgerOf(
      Array.from({ length: 300 }, (_, i) => [
        { from: wallet(i % 11), to: wallet((i + 1) % 11), amount: BigInt(i + 1) },
        {
          from: wallet((i + 1) % 11),
          to: wallet((i + 2) % 11),
          amount: 2n ** 256n - 1n - BigInt(i),
        },
      ]),
    )
    const write = async (store: Store, rows: readonly Transfer[], cut: number): Promise<void> => {
      for (let i = 0; i < rows.length; i += cut)
        await store.append({
          transfers: rows.slice(i, i + cut),
          source: 'node:a',
          assurance: 1,
          coverage: [],
        })
    }
    await Promise.all([write(one, ledger, 20), write(two, [...ledger].reverse(), 34)])
    expect(await canonical(one)).toEqual(ledger)
    expect((await one.state()).sequence).toBe(ledger.length)
    const [row] = await cypher(
      'MATCH ()-[t:TRANSFER]->() RETURN count(t) AS n, count(DISTINCT t.id) AS ids',
    )
    expect(row).toEqual({ n: ledger.length, ids: ledger.length })
    expect((await two.check()).damage).toEqual([])
  }, 120_000)

  test('tags and coverage read while they are written are those of one moment', async () => {
    const [writer, reader] = (await several(2)) as [Store, Store]
    const accounts = Array.from({ length: 150 }, (_, i) => wallet(i + 1))
    const tag = { label: 'l', category: 'c', source: 's', sourceRank: 1, mayStop: true }
    let writing = true
    const write = async (): Promise<void> => {
      for (let round = 1; round <= 40; round++) {
        await writer.putTags(accounts.map((account) => ({ ...tag, account, confidence: round })))
        const coverage = accounts.map((account) => ({
          account,
          kind: 'token' as const,
          fromBlock: 0,
          toBlock: round,
          assurance: 1 as const,
          source: 's',
        }))
        await writer.append({ transfers: [], source: 's', assurance: 1, coverage })
      }
      writing = false
    }
    const seen = new Set<string>()
    const read = async (): Promise<void> => {
      while (writing) {
        const tags = await reader.tags()
        expect([0, accounts.length]).toContain(tags.length)
        expect(new Set(tags.map(({ confidence }) => confidence)).size).toBeLessThan(2)
        const claims = await reader.coverageClaims()
        expect([0, accounts.length]).toContain(claims.length)
        expect(new Set(claims.map(({ toBlock }) => toBlock)).size).toBeLessThan(2)
        seen.add(`${tags[0]?.confidence} ${claims[0]?.toBlock}`)
      }
    }
    await Promise.all([write(), read(), read()])
    expect(seen.size).toBeGreaterThan(3)
    await cypher('MATCH (t:Tag) WITH t LIMIT 1 SET t.confidence = 99')
    await expect(reader.tags()).rejects.toMatchObject({ code: 'store.damaged' })
  }, 120_000)

  test('what one process appended and did not draw before it died, the next one draws', async () => {
    const [one] = stores as [Store]
    const ledger = ledgerOf(
      Array.from({ length: 30 }, (_, i) => [
        { from: wallet(1), to: wallet(2), amount: BigInt(i + 1) },
      ]),
    )
    const told = { source: 'node:a', assurance: 1, coverage: [] } as const
    await one.append({ transfers: ledger, ...told })
    // As if it had died between the log and the drawing, in the middle of a batch.
    await cypher('MATCH ()-[t:TRANSFER]->() WHERE t.seq > 12 DELETE t')
    await cypher("MATCH (p:Projection {name: 'transfers'}) SET p.sequence = 12, p.shown = 12")
    const [two] = (await several(2)).slice(1) as [Store]
    const [sent] = await two.expand({ accounts: new Set([wallet(1)]), direction: 'out', cap: 100 })
    expect(sent?.transfers).toEqual(ledger)
    expect((await two.check()).damage).toEqual([])
  })

  test('a check names the relationship that somebody changed, took away or added by hand', async () => {
    const [one] = stores as [Store]
    const ledger = ledgerOf([
      [{ from: wallet(1), to: wallet(2), amount: 5n }],
      [{ from: wallet(2), to: wallet(3), amount: 6n }],
    ])
    await one.append({ transfers: ledger, source: 'node:a', assurance: 1, coverage: [] })
    await cypher("MATCH ()-[t:TRANSFER]->() WHERE t.amount = '5' SET t.amount = '50'")
    expect((await one.check()).damage).toEqual([expect.stringContaining('is not as its row')])
    await cypher('MATCH ()-[t:TRANSFER]->() WHERE t.seq = 2 DELETE t')
    await cypher(
      "MATCH (a:Address) WITH a LIMIT 1 CREATE (a)-[:TRANSFER {id: 'eip155:1:0x0:token:0', seq: 99, time: 1, block: 1, asset: 'x', amount: '1'}]->(a)",
    )
    const { damage } = await one.check()
    expect(damage).toContainEqual(expect.stringContaining('row 2 has no relationship'))
  })
})
