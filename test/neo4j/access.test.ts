import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import neo4j from 'neo4j-driver'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrateNeo4jStore, type Neo4jOptions } from '../../src/store/neo4j.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { ledgerOf, wallet } from '../ledger.arbitrary.ts'
import { canonical } from '../store/contract.ts'
import { neo4jUri } from './fixture.ts'
import { freePort, type Neo4jServer, startNeo4j } from './server.ts'

const password = 'correct-horse-battery'
const told = { source: 'w', assurance: 1, coverage: [] } as const
const rows = (count: number) =>
  ledgerOf(
    Array.from({ length: count }, (_, i) => [
      { from: wallet(1), to: wallet(2), amount: BigInt(i + 1) },
    ]),
  )

/** Three servers one after another on the same data: as they should be, read-only and encrypted, short of memory. */
describe.skipIf(neo4jUri === undefined || process.env['NEO4J_URI'] !== undefined)(
  'a server that lets in, refuses, or cannot',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'jejak-neo4j-access-'))
    const passwordFile = join(folder, 'password.txt')
    const caFile = join(folder, 'certificates', 'ca.crt')
    let port: number
    let server: Neo4jServer

    const location = (): string => `neo4j://127.0.0.1:${port}`
    const open = (settings: Neo4jOptions = {}, at = location()): Promise<Store> =>
      openStore({ location: at, neo4j: { passwordFile, retryMs: 3_000, ...settings } })

    const tls = {
      'dbms.ssl.policy.bolt.enabled': 'true',
      'dbms.ssl.policy.bolt.base_directory': join(folder, 'certificates'),
      'dbms.ssl.policy.bolt.private_key': 'server.key',
      'dbms.ssl.policy.bolt.public_certificate': 'server.crt',
      'dbms.ssl.policy.bolt.client_auth': 'NONE',
      'server.bolt.tls_level': 'OPTIONAL',
    }

    async function start(settings: Readonly<Record<string, string>>): Promise<void> {
      server = await startNeo4j({
        folder: join(folder, 'server'),
        port,
        password,
        caFile,
        heap: '512m',
        settings: { ...tls, ...settings },
      })
    }

    async function asOperator(text: string): Promise<readonly string[]> {
      const driver = neo4j.driver(location(), neo4j.auth.basic('neo4j', password))
      const session = driver.session({ database: 'neo4j' })
      const { records } = await session.run(text)
      await driver.close()
      return records.map((record) => String(record.get(0)))
    }

    /** As a server comes: no node, no index, no constraint. */
    async function emptiedWhole(): Promise<void> {
      await asOperator('MATCH (n) DETACH DELETE n')
      for (const name of await asOperator('SHOW CONSTRAINTS YIELD name RETURN name'))
        await asOperator(`DROP CONSTRAINT \`${name}\``)
      const indexes = "SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name"
      for (const name of await asOperator(indexes)) await asOperator(`DROP INDEX \`${name}\``)
    }

    beforeAll(async () => {
      writeFileSync(passwordFile, `${password}\n`)
      makeCertificates(join(folder, 'certificates'))
      port = await freePort()
      await start({})
    }, 90_000)

    afterAll(async () => {
      await server?.stop()
      rmSync(folder, { recursive: true, force: true })
    })

    test("another program's database is refused; two stores made at once in an empty one are one", async () => {
      await asOperator("CREATE (:Person {name: 'somebody'})")
      await expect(open()).rejects.toMatchObject({ code: 'store.foreign' })
      // A race: one round without any schema shows it nearly always, five leave nothing to luck.
      for (let round = 0; round < 5; round++) {
        await emptiedWhole()
        const stores = await Promise.all(Array.from({ length: 8 }, () => open()))
        const ids = await Promise.all(stores.map(async (store) => (await store.state()).id))
        expect(new Set(ids).size).toBe(1)
        expect(await stores[0]?.append({ transfers: rows(4), ...told })).toMatchObject({ added: 4 })
        for (const store of stores) await store.close()
      }
    }, 60_000)

    test("the password comes from a file, alone or as Neo4j's image wants it", async () => {
      await (await open()).close()
      const both = join(folder, 'both.txt')
      writeFileSync(both, `neo4j/${password}`)
      await (await open({ passwordFile: both })).close()
    })

    test('error: a wrong password, no password, no file, one in the address: refused at once, and never shown', async () => {
      const wrong = join(folder, 'wrong.txt')
      writeFileSync(wrong, 'not-this-secret')
      const refusals = [
        [() => open({ passwordFile: wrong }), 'store.unauthorized'],
        [() => openStore(location()), 'store.unauthorized'],
        [() => open({ passwordFile: join(folder, 'absent') }), 'config.invalid'],
        [() => open({}, `neo4j://neo4j:not-this-secret@127.0.0.1:${port}`), 'config.invalid'],
      ] as const
      for (const [attempt, code] of refusals) {
        const started = performance.now()
        const error: unknown = await attempt().catch((thrown: unknown) => thrown)
        expect(error).toMatchObject({ code, retryable: false })
        expect(inspect(error, { depth: 12, showHidden: true })).not.toContain('not-this-secret')
        expect(performance.now() - started).toBeLessThan(8_000)
      }
    }, 60_000)

    test('error: a database that is not there', async () => {
      await expect(open({ database: 'elsewhere' })).rejects.toMatchObject({
        code: 'store.unavailable',
        hint: expect.stringContaining('JEJAK_NEO4J_DATABASE'),
      })
    })

    test('error: nobody listens, or somebody who never answers', async () => {
      const closed = `neo4j://127.0.0.1:${await freePort()}`
      await expect(open({}, closed)).rejects.toMatchObject({
        code: 'store.unavailable',
        retryable: true,
      })
      const silent = createServer(() => undefined)
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
      const address = silent.address()
      const at = typeof address === 'object' && address ? address.port : 0
      await expect(open({}, `neo4j://127.0.0.1:${at}`)).rejects.toMatchObject({
        code: 'store.unavailable',
      })
      silent.close()
    }, 60_000)

    test('error: an address that is none', async () => {
      for (const at of ['neo4j://', 'neo4j://:::', 'bolt+s://?x'])
        await expect(open({}, at)).rejects.toMatchObject({ code: 'config.invalid' })
    })

    test('waiting too long for another writer is an error, and nothing is doubled after it', async () => {
      const store = await open({ timeoutMs: 700 })
      const driver = neo4j.driver(location(), neo4j.auth.basic('neo4j', password))
      const session = driver.session({ database: 'neo4j' })
      const holding = session.beginTransaction()
      await holding.run('MATCH (s:Store) SET s.lock = true')
      await expect(store.append({ transfers: rows(6), ...told })).rejects.toMatchObject({
        code: 'store.busy',
        retryable: true,
      })
      await holding.rollback()
      await driver.close()
      expect(await store.append({ transfers: rows(6), ...told })).toMatchObject({
        added: 2,
        known: 4,
      })
      expect(await canonical(store)).toEqual(rows(6))
      await store.close()
    }, 60_000)

    test('an older schema and a newer one are refused; the older is brought up by command', async () => {
      await asOperator('MATCH (s:Store) SET s.schema = 99')
      await expect(open()).rejects.toMatchObject({ code: 'store.newer' })
      await expect(migrateNeo4jStore(location(), { passwordFile })).rejects.toMatchObject({
        code: 'store.newer',
      })
      await asOperator('MATCH (s:Store) SET s.schema = 0')
      await expect(open()).rejects.toMatchObject({
        code: 'store.older',
        hint: expect.stringContaining('jejak store migrate'),
      })
      expect(await migrateNeo4jStore(location(), { passwordFile })).toEqual({ from: 0, to: 1 })
      expect(await migrateNeo4jStore(location(), { passwordFile })).toEqual({ from: 1, to: 1 })
      const store = await open()
      expect(await canonical(store)).toEqual(rows(6))
      await store.close()
    }, 60_000)

    test("encryption with an authority of one's own; without it the certificate is not believed", async () => {
      const encrypted = `neo4j+s://localhost:${port}`
      const store = await open({ caFile }, encrypted)
      expect(await canonical(store)).toEqual(rows(6))
      await store.close()
      await expect(open({}, encrypted)).rejects.toMatchObject({ code: 'store.unavailable' })
    }, 60_000)

    test('a read-only server answers as before and refuses to write; plain connections to an encrypted one fail', async () => {
      await server.stop()
      await start({
        'server.databases.default_to_read_only': 'true',
        'server.bolt.tls_level': 'REQUIRED',
      })
      await expect(open()).rejects.toMatchObject({ code: 'store.unavailable' })
      const store = await open({ caFile })
      expect(await canonical(store)).toEqual(rows(6))
      expect(
        (await store.expand({ accounts: new Set([wallet(1)]), direction: 'out', cap: 9 }))[0]
          ?.transfers,
      ).toHaveLength(6)
      expect((await store.check()).damage).toEqual([])
      for (const attempt of [
        () => store.append({ transfers: rows(7), ...told }),
        () => store.writeDocument('c', 'id', 0, 1),
        () =>
          store.putTags([
            {
              account: wallet(1),
              label: 'l',
              category: 'c',
              source: 's',
              confidence: 1,
              sourceRank: 1,
              mayStop: true,
            },
          ]),
        () =>
          store.atomically(async (appender) => appender.append({ transfers: rows(7), ...told })),
      ])
        await expect(attempt()).rejects.toMatchObject({ code: 'store.read-only', retryable: false })
      await store.close()
    }, 90_000)

    test('a transaction beyond the memory of the server stores nothing, says so, and the next one works', async () => {
      await server.stop()
      await start({ 'db.memory.transaction.max': '24m' })
      const store = await open()
      const many = Array.from({ length: 60_000 }, (_, i) => ({
        account: wallet(i + 1),
        label: `label ${i} ${'x'.repeat(200)}`,
        category: 'c',
        source: 's',
        confidence: 1,
        sourceRank: 1,
        mayStop: true,
      }))
      await expect(store.putTags(many)).rejects.toMatchObject({
        code: 'store.memory',
        retryable: false,
        hint: expect.stringContaining('dbms.memory.transaction'),
      })
      expect(await store.tags()).toEqual([])
      expect(await store.putTags(many.slice(0, 10))).toEqual({ added: 10, replaced: 0 })
      await store.close()
    }, 120_000)
  },
)

/** An authority and a certificate for this machine, for a day. */
function makeCertificates(folder: string): void {
  mkdirSync(folder, { recursive: true })
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  }
  const key = ['-newkey', 'rsa:2048', '-nodes']
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '1',
    '-subj',
    '/CN=Jejak test authority',
  )
  openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost')
  writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-out',
    'server.crt',
    '-days',
    '1',
    '-extfile',
    'names',
  )
}
