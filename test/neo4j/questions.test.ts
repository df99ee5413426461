import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import neo4j from 'neo4j-driver'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Account } from '../../src/ledger/account.ts'
import { transferId } from '../../src/ledger/transfer.ts'
import { type SampleCase, sampleCase } from '../../src/sample/sampleCase.ts'
import { putFlag } from '../../src/store/flags.ts'
import { closeFixture, cypher, emptyStore, neo4jUri } from './fixture.ts'

/** The questions as the README asks them. */
const readme = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8')
const questions = [...readme.matchAll(/\*\*(\d+)\. ([^*]+)\*\*[^`]*```cypher\n([\s\S]*?)```/g)].map(
  ([, number = '', title = '', text = '']) => ({ number, title, text }),
)

describe.skipIf(neo4jUri === undefined)('the questions of the README', () => {
  let sample: SampleCase
  let busiest: string
  let largest = 0n

  beforeAll(async () => {
    sample = sampleCase(7, 3_000)
    const store = await emptyStore()
    const accounts = [...new Set(sample.transfers.flatMap(({ from, to }) => [from, to]))].filter(
      (account): account is Account => account !== undefined,
    )
    const blocks = sample.transfers.map(({ block }) => block)
    await store.append({
      transfers: sample.transfers,
      source: 'file:sample',
      assurance: 0,
      coverage: [
        {
          chain: 'eip155:1' as (typeof sample.transfers)[number]['chain'],
          accounts,
          kinds: ['native', 'fee'],
          fromBlock: Math.min(...blocks),
          toBlock: Math.max(...blocks),
          assurance: 0,
          source: 'file:sample',
        },
      ],
    })
    await store.putTags(sample.tags)
    await putFlag(
      store,
      { account: sample.drainer, reason: 'victims', source: 'hotline' },
      new Date(0),
    )
    await store.close()
    const payers = new Map<string, Set<string>>()
    for (const { from, to } of sample.transfers)
      if (from && to) payers.set(to, (payers.get(to) ?? new Set()).add(from))
    const services = new Set<string>(sample.tags.map(({ account }) => account))
    busiest = [...payers]
      .filter(([account]) => !services.has(account))
      .reduce((most, one) => (one[1].size > most[1].size ? one : most))[0]
    for (const { asset, from, to, amount } of sample.transfers)
      if (asset === 'eip155:1/slip44:60' && from && to && amount > largest) largest = amount
  }, 120_000)
  afterAll(closeFixture)

  test('there are ten', () => {
    expect(questions.map(({ number }) => number)).toEqual(
      Array.from({ length: 10 }, (_, i) => String(i + 1)),
    )
  })

  test.each(questions)('$number $title', async ({ number, text }) => {
    const paid = sample.transfers.find(
      ({ kind, from }) => kind === 'native' && from === sample.drainer,
    )
    const rows = await cypher(text, {
      // Checksummed or not: the questions take both.
      account: (number === '6' ? busiest : sample.drainer)
        .toUpperCase()
        .replace('EIP155:1:0X', 'eip155:1:0x'),
      asset: 'eip155:1/slip44:60',
      since: neo4j.int(0),
      until: neo4j.int(4_000_000_000),
      chain: 'eip155:1',
      tx: paid?.tx ?? '',
    })
    expect(rows.length).toBeGreaterThan(0)
    if (number === '7') expect(rows[0]?.['amount']).toBe(String(largest))
    if (number === '8') expect(rows[0]).toMatchObject({ kind: 'fee', payer: sample.drainer })
    if (number === '3') expect(rows).toMatchObject([{ account: sample.drainer, state: 'waiting' }])
    if (number === '10') {
      expect(rows[0]?.['tags']).toEqual([expect.stringContaining('perpetrator')])
      expect(rows[0]?.['complete']).toEqual([expect.stringContaining('(file)')])
    }
    if (number === '2') {
      const known = sample.transfers
        .filter((t) => t.from === sample.drainer || t.to === sample.drainer)
        .map((t) => `${t.amount} ${t.tx}`)
      expect(rows.map((row) => `${row['amount']} ${row['transaction']}`).sort()).toEqual(
        known.sort(),
      )
    }
  })

  test('issued and burned money leads nowhere: no path passes through nobody', async () => {
    const [row] = await cypher(
      'MATCH (n:Nobody) WHERE (n)-[:TRANSFER]->() AND ()-[:TRANSFER]->(n) RETURN count(n) AS n',
    )
    expect(row).toEqual({ n: 0 })
    const all = await cypher('MATCH ()-[t:TRANSFER]->() RETURN t.id AS id')
    expect(all.map(({ id }) => id).sort()).toEqual(sample.transfers.map(transferId).sort())
  })
})
