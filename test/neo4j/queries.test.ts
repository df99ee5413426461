import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import neo4j, { type Driver, type Plan } from 'neo4j-driver'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Account } from '../../src/ledger/account.ts'
import type { AssetId } from '../../src/ledger/asset.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import { transferId } from '../../src/ledger/transfer.ts'
import type { Store } from '../../src/store/store.ts'
import { madeLedger } from '../bench/madeLedger.ts'
import { ledgerOf, wallet } from '../ledger.arbitrary.ts'
import { canonical } from '../store/contract.ts'
import { closeFixture, cypher, emptied, emptyStore, neo4jUri, uri } from './fixture.ts'

const folder = join(import.meta.dirname, '..', '..', 'queries')
const names = (below: string, ending: string): string[] =>
  readdirSync(join(folder, below))
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length))
const text = (path: string): string => readFileSync(join(folder, path), 'utf8')

const statements = names('neo4j', '.cypher')
const migrations = names('neo4j/migration-1', '.cypher')

const account = 'eip155:1:0x0000000000000000000000000000000000000001'
const key = neo4j.int(1)

/** One example of what each statement is given. */
const examples: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'add-coverage': { claims: [['k', account, 'eip155:1', 'fee', 's', key, key, key]] },
  'add-coverage-set': {
    digest: 'd',
    chain: 'c',
    kinds: 'fee',
    source: 's',
    assurance: key,
    from: key,
    to: key,
    accounts: ['x'],
    number: key,
  },
  'add-findings': { findings: [['k', 'c', key, 't', 'count', 'x']] },
  'advance-projection': { sequence: key },
  'advance-store': { sequence: key, coverage: key, tags: key, coverageSum: key, tagSum: key },
  'all-coverage': {},
  'all-documents': {},
  'all-findings': {},
  'all-tags': {},
  'any-node': {},
  'any-unordered': {},
  'append-segments': { entries: [[key, key, key, 's', key, key, 'b', 'u']] },
  'await-indexes': { seconds: key },
  'coverage-of': { accounts: [account] },
  'coverage-sets': {},
  'coverage-reaching': { chain: 'c', from: key },
  'coverage-sets-reaching': { chain: 'c', from: key },
  'show-projection': { through: key },
  'create-burns': { rows: [[account, 'x']] },
  'create-document': { collection: 'c', id: 'i', content: '1 1 1', unit: 'u' },
  'create-issues': { rows: [['x', account]] },
  'create-store': { id: 'i', schema: key },
  'create-transfers': { rows: [[account, account]] },
  'cut-coverage': { chain: 'c', from: key },
  'cut-coverage-sets': { chain: 'c', from: key },
  'delete-coverage': { keys: ['k'] },
  'delete-document': { collection: 'c', id: 'i', expected: key },
  'delete-transfers': { dead: [['i', key]] },
  'drop-coverage': { chain: 'c', from: key },
  'drop-coverage-sets': { chain: 'c', from: key },
  'drop-findings': { chain: 'c', from: key },
  'hide-flag': { account },
  'hold-document': { collection: 'c', id: 'i' },
  'known-tags': { keys: ['k'] },
  'link-tags': { keys: ['k'] },
  'list-documents': { collection: 'c', after: '', limit: key },
  'lock-projection': {},
  'lock-store': {},
  'log-entries': { firsts: [key] },
  'log-entry': { sequence: key },
  'merge-addresses': { addresses: [[account, 'c', 'a']] },
  'merge-nobody': { ends: [['i', 'c', 'gone']] },
  'put-tags': { tags: [['k', account, 'l', 'c', 's', key, key, true, null, null]] },
  'read-document': { collection: 'c', id: 'i' },
  'read-log': { after: key, last: key, limit: key },
  'read-store': {},
  'restore-documents': { documents: [['c', 'i', key, '1']] },
  'set-schema': { schema: key },
  'show-flag': {
    account,
    chain: 'c',
    address: 'a',
    reason: 'r',
    source: 's',
    at: 't',
    state: 'waiting',
  },
  'tags-of': { accounts: [account] },
  'transfers-at': { times: [key] },
  'transfers-by-id': { after: '', limit: key },
  'transfers-in': { accounts: [[key, key, key]], limit: key },
  'transfers-of-transactions': { transactions: ['eip155:1:0x01:'] },
  'transfers-out': { accounts: [[key, key, key]], limit: key },
  'unlinked-tags': { limit: key },
  'unordered-blocks': { blocks: ['b'] },
  'update-document': { collection: 'c', id: 'i', expected: key, content: '1 1 1', unit: 'u' },
}

/** Operators that read everything, or hold every row before the first goes on. */
const forbidden =
  /^(AllNodesScan|NodeByLabelScan|(Directed|Undirected)RelationshipTypeScan|(Directed|Undirected)AllRelationshipsScan|CartesianProduct|Eager)$/

/** Statements that may have one of them, and why. */
const allowed: Readonly<Record<string, string>> = {
  // One node at most, to tell an empty database from another program's.
  'any-node': 'AllNodesScan',
}

const usesNoIndex = new Set(['any-node', 'append-segments', 'await-indexes'])
const pagesInIndexOrder = [
  'read-log',
  'log-entry',
  'transfers-out',
  'transfers-in',
  'list-documents',
  'transfers-by-id',
]

function operatorOf(plan: Plan): string {
  return plan.operatorType.replace(/@.*$/, '')
}

function operators(plan: Plan): string[] {
  return [operatorOf(plan), ...plan.children.flatMap(operators)]
}

/**
 * What a plan must not do. An Eager that holds the rows of one seek is how a node that was found is changed or
 * deleted; one above an Unwind would hold every row that was given.
 */
function faults(plan: Plan): string[] {
  const operator = operatorOf(plan)
  const below = plan.children.flatMap(operators)
  const heldRows = operator === 'Eager' && below.includes('Unwind')
  const twoSeeks =
    operator === 'CartesianProduct' && below.every((one) => one.startsWith('NodeUniqueIndexSeek'))
  const bad = forbidden.test(operator) && !twoSeeks && (operator !== 'Eager' || heldRows)
  return [...(bad ? [operator] : []), ...plan.children.flatMap(faults)]
}

describe.skipIf(neo4jUri === undefined)('statements on a real server', () => {
  let driver: Driver

  beforeAll(async () => {
    const store = await emptyStore()
    for (const transfers of madeLedger({ transfers: 6_000, addresses: 900, batch: 2_000, seed: 3 }))
      await store.append({
        transfers,
        source: 's',
        assurance: 1,
        coverage: [
          {
            account: wallet(1),
            kind: 'token',
            fromBlock: 1,
            toBlock: 2,
            assurance: 1,
            source: 's',
          },
        ],
      })
    await store.putTags([
      {
        account: wallet(1),
        label: 'l',
        category: 'c',
        source: 's',
        confidence: 1,
        sourceRank: 1,
        mayStop: true,
      },
    ])
    await store.close()
    driver = neo4j.driver(uri())
  }, 120_000)
  afterAll(async () => {
    await driver?.close()
    await closeFixture()
  })

  test('there are many, and an example for each; none leans on a plug-in', () => {
    for (const name of statements)
      expect(text(`neo4j/${name}.cypher`)).not.toMatch(/\b(apoc|gds)\./)
    expect(statements.length).toBeGreaterThan(45)
    expect(Object.keys(examples).sort()).toEqual([...statements].sort())
  })

  async function explained(name: string): Promise<void> {
    const { summary } = await driver.executeQuery(
      `EXPLAIN ${text(`neo4j/${name}.cypher`)}`,
      examples[name],
      { database: 'neo4j' },
    )
    if (name === 'await-indexes') return
    expect(summary.plan).toBeTruthy()
    const plan = summary.plan as Plan
    const found = operators(plan)
    const seen = found.join(' < ')
    expect(found.length).toBeGreaterThan(1)
    expect(
      faults(plan).filter((operator) => operator !== allowed[name]),
      seen,
    ).toEqual([])
    if (!usesNoIndex.has(name)) expect(seen).toMatch(/Index(Seek|Scan)/)
    if (pagesInIndexOrder.includes(name)) expect(seen).not.toMatch(/\b(Partial)?(Sort|Top)\b/)
  }

  test.each(statements)('%s reads by an index, and no more than it needs', explained)

  test('so they do while the database is empty, whose plans are kept for a while', async () => {
    await emptied()
    await cypher('CALL db.clearQueryCaches()')
    for (const name of statements) await explained(name)
  }, 60_000)

  test('the schema is one statement per file, may be repeated, and all of it is online', async () => {
    const schema = async (): Promise<unknown> => [
      await cypher(
        'SHOW INDEXES YIELD name, state, type, labelsOrTypes, properties RETURN * ORDER BY name',
      ),
      await cypher(
        'SHOW CONSTRAINTS YIELD name, type, labelsOrTypes, properties RETURN * ORDER BY name',
      ),
    ]
    const before = await schema()
    for (const name of migrations) {
      const statement = text(`neo4j/migration-1/${name}.cypher`)
      expect(statement).toMatch(/^CREATE (CONSTRAINT|INDEX) jejak_\w+ IF NOT EXISTS/m)
      await cypher(statement)
    }
    expect(await schema()).toEqual(before)
    const states = await cypher('SHOW INDEXES YIELD state RETURN DISTINCT state')
    expect(states).toEqual([{ state: 'ONLINE' }])
    expect(migrations.length).toBeGreaterThan(15)
  })
})

describe('what the files say', () => {
  const all = [
    ...statements.map((name) => [`neo4j/${name}.cypher`, name] as const),
    ...migrations.map((name) => [`neo4j/migration-1/${name}.cypher`, name] as const),
    ...names('embedded', '.sql').map((name) => [`embedded/${name}.sql`, name] as const),
  ]

  test.each(all)('%s begins with its name and names its parameters', (path, name) => {
    const content = text(path)
    const comment = content
      .split('\n')
      .filter((line) => /^(\/\/|--)/.test(line))
      .join('\n')
    expect(content).toMatch(new RegExp(`^(//|--) ${name}: [a-zA-Z]`))
    const body = content.replaceAll(/^(\/\/|--).*$/gm, '')
    for (const [, parameter = ''] of body.matchAll(/[$:]([a-z][a-zA-Z]*)\b/g))
      if (path.endsWith('.cypher')) {
        if (body.includes(`$${parameter}`)) expect(comment).toContain(`$${parameter}`)
      } else if (body.includes(`:${parameter}`)) expect(comment).toContain(`:${parameter}`)
  })
})

describe.skipIf(neo4jUri === undefined)('hostile text', () => {
  let store: Store
  const sent: string[] = []
  const texts = new Set(statements.map((name) => text(`neo4j/${name}.cypher`)))

  beforeAll(async () => {
    store = await emptyStore()
    const { ManagedTransaction } = neo4j as unknown as {
      ManagedTransaction: { prototype: { run(query: string, parameters: unknown): unknown } }
    }
    const { prototype } = ManagedTransaction
    const run = prototype.run
    vi.spyOn(prototype, 'run').mockImplementation(function (this: unknown, query, parameters) {
      sent.push(query)
      return run.call(this as typeof prototype, query, parameters)
    })
  })
  afterAll(async () => {
    vi.restoreAllMocks()
    await store.close()
    await closeFixture()
  })

  const hostile = fc.oneof(
    fc
      .string({ minLength: 1, unit: 'binary' })
      .filter((value) => value.isWellFormed() && !value.includes('\0')),
    fc.constantFrom(
      "'}) DETACH DELETE n //",
      '$id',
      '`',
      '\\u0027',
      '"; MATCH (n) DETACH DELETE n',
      '{{x}}',
      '\u202e<script>',
    ),
  )

  test('never becomes part of a statement, and comes back as it was', async () => {
    let n = 0
    await fc.assert(
      fc.asyncProperty(hostile, hostile, hostile, async (one, two, three) => {
        n++
        const [row] = ledgerOf([[{ from: wallet(n), to: wallet(n + 1), amount: BigInt(n) }]])
        if (!row) throw new RangeError('a row was made')
        const transfer = {
          ...row,
          block: n,
          time: n,
          tx: `t${n}`,
          chain: row.chain,
          asset: `eip155:1/x:${n}` as AssetId,
        }
        await store.append({
          transfers: [transfer],
          source: `${n} ${one}`,
          assurance: 1,
          coverage: [
            {
              account: wallet(n),
              kind: 'token',
              fromBlock: 1,
              toBlock: 2,
              assurance: 1,
              source: two,
            },
          ],
        })
        const tag = {
          account: wallet(n),
          label: one,
          category: two,
          source: three,
          confidence: 1,
          sourceRank: 1,
          mayStop: false,
        }
        await store.putTags([tag])
        expect(await store.tags(new Set([wallet(n)]))).toEqual([tag])
        expect(await store.coverage(new Set([wallet(n)]))).toMatchObject([{ source: two }])
        expect(await store.observations([transferId(transfer)])).toMatchObject([
          { source: `${n} ${one}` },
        ])
        const id = `${n} ${two}`
        await store.writeDocument(one, id, 0, { [two]: three })
        expect(await store.readDocument(one, id)).toEqual({
          collection: one,
          id,
          version: 1,
          value: { [two]: three },
        })
        expect((await store.listDocuments(one)).some((document) => document.id === id)).toBe(true)
        await store.deleteDocument(one, id, 1)
        const accounts = new Set([wallet(n), one as Account])
        expect(
          (await store.transfersTouching({ accounts, limit: 5 })).transfers.length,
        ).toBeGreaterThan(0)
        expect(await store.expand({ accounts, direction: 'in', cap: 3 })).toHaveLength(
          accounts.size,
        )
        await expect(store.transfersTouching({ accounts, limit: 5, after: three })).rejects.toThrow(
          KnownError,
        )
      }),
      { numRuns: 40 },
    )
    expect(sent.length).toBeGreaterThan(400)
    expect([...new Set(sent)].filter((query) => !texts.has(query))).toEqual([])
    expect(await canonical(store)).toHaveLength(n)
    expect((await store.check()).damage).toEqual([])
  }, 120_000)
})
