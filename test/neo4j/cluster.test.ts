import { afterEach, expect, test } from 'vitest'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import {
  type Answer,
  type Message,
  type RoutingTable,
  type ScriptedBolt,
  startScriptedBolt,
} from './scriptedBolt.ts'

/**
 * What only a cluster does, by the codes of its protocol. No cluster runs here: these servers are scripted, and the
 * README says so.
 */

const servers: ScriptedBolt[] = []
const stores: Store[] = []

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close()
  for (const server of servers.splice(0)) await server.close()
})

const storeRow = {
  id: 'store-1',
  schema: 1n,
  sequence: 0n,
  tagVersion: 0n,
  coverageVersion: 0n,
  tagSum: 0n,
  coverageSum: 0n,
  shown: 0n,
}

function isStatement({ name, fields }: Message, statement: string): boolean {
  return name === 'RUN' && String(fields[0]).includes(`// ${statement}:`)
}

/** A sound member: it has a store, accepts documents, and hands out bookmarks. */
function sound(message: Message): Answer {
  if (isStatement(message, 'read-store')) return { rows: [storeRow] }
  if (isStatement(message, 'create-document')) return { rows: [{ version: 1n }] }
  if (message.name === 'COMMIT') return { bookmark: 'bookmark:after-commit' }
  return undefined
}

/** Members of a cluster with one routing table, and what each does instead of being sound. */
async function cluster(
  count: number,
  table: (members: readonly string[]) => RoutingTable,
  special: (member: number, message: Message) => Answer | 'sound' = () => 'sound',
): Promise<ScriptedBolt[]> {
  const members: ScriptedBolt[] = []
  for (let member = 0; member < count; member++) {
    const server = await startScriptedBolt((message) => {
      const told = special(member, message)
      if (told !== 'sound') return told
      if (message.name === 'ROUTE') return { route: table(members.map(({ address }) => address)) }
      return sound(message)
    })
    members.push(server)
    servers.push(server)
  }
  return members
}

async function opened(member: ScriptedBolt | undefined, retryMs = 10_000): Promise<Store> {
  const store = await openStore({
    location: `neo4j://${member?.address}`,
    neo4j: { retryMs, timeoutMs: 5_000 },
  })
  stores.push(store)
  return store
}

const all = (members: readonly string[], writers: readonly string[]): RoutingTable => ({
  ttlSeconds: 300,
  routers: members,
  readers: members,
  writers,
})

function count(member: ScriptedBolt | undefined, statement: string): number {
  return member?.log.filter((message) => isStatement(message, statement)).length ?? 0
}

test('the leader changes: a write refused with NotALeader is repeated at the new leader', async () => {
  let leader = 0
  const members = await cluster(
    2,
    (addresses) => all(addresses, [addresses[leader] ?? '']),
    (member, message) => {
      if (member === 0 && isStatement(message, 'create-document')) {
        leader = 1
        return { failure: 'Neo.ClientError.Cluster.NotALeader' }
      }
      return 'sound'
    },
  )
  const store = await opened(members[0])
  expect((await store.writeDocument('c', 'id', 0, 1)).version).toBe(1)
  expect(members.map((member) => count(member, 'create-document'))).toEqual([1, 1])
}, 30_000)

test('a database that is unavailable for a moment: the write is repeated and counts once', async () => {
  let refusals = 2
  const [member] = await cluster(
    1,
    (addresses) => all(addresses, addresses),
    (_, message) =>
      isStatement(message, 'create-document') && refusals-- > 0
        ? { failure: 'Neo.TransientError.General.DatabaseUnavailable' }
        : 'sound',
  )
  const store = await opened(member)
  expect((await store.writeDocument('c', 'id', 0, 1)).version).toBe(1)
  expect(count(member, 'create-document')).toBe(3)
}, 30_000)

test('error: a database that stays unavailable, a leader that never comes: an error that may be repeated', async () => {
  const [member] = await cluster(
    1,
    (addresses) => all(addresses, addresses),
    (_, message) =>
      isStatement(message, 'create-document')
        ? { failure: 'Neo.TransientError.General.DatabaseUnavailable' }
        : 'sound',
  )
  const store = await opened(member, 1_500)
  await expect(store.writeDocument('c', 'id', 0, 1)).rejects.toMatchObject({
    code: 'store.unavailable',
    retryable: true,
  })
  const [leaderless] = await cluster(1, (addresses) => all(addresses, []))
  const other = await opened(leaderless, 1_500)
  await expect(other.writeDocument('c', 'id', 0, 1)).rejects.toMatchObject({
    code: 'store.unavailable',
    retryable: true,
  })
}, 30_000)

test('the routing table changes: reads go to who may be read now, writes to the leader alone', async () => {
  let readers = [0]
  const members = await cluster(3, (addresses) => ({
    ttlSeconds: 0,
    routers: addresses,
    readers: readers.map((i) => addresses[i] ?? ''),
    writers: [addresses[2] ?? ''],
  }))
  const store = await opened(members[0])
  const before = members.map((member) => count(member, 'read-store'))
  await store.state()
  readers = [1]
  await store.state()
  await store.writeDocument('c', 'id', 0, 1)
  const after = members.map((member, i) => count(member, 'read-store') - (before[i] ?? 0))
  expect(after).toEqual([1, 1, 0])
  expect(members.map((member) => count(member, 'create-document'))).toEqual([0, 0, 1])
}, 30_000)

test('what one session wrote the next one reads: its bookmark goes along, to whichever member answers', async () => {
  const members = await cluster(2, (addresses) => ({
    ttlSeconds: 300,
    routers: addresses,
    readers: [addresses[1] ?? ''],
    writers: [addresses[0] ?? ''],
  }))
  const store = await opened(members[0])
  await store.writeDocument('c', 'id', 0, 1)
  await store.state()
  const begin = members[1]?.log.filter(({ name }) => name === 'BEGIN').at(-1)
  expect(begin?.fields[0]).toMatchObject({
    bookmarks: ['bookmark:after-commit'],
    mode: 'r',
    db: 'neo4j',
  })
}, 30_000)

test('a member that goes away in the middle of a commit: the unit runs again elsewhere', async () => {
  let leader = 0
  const members = await cluster(
    2,
    (addresses) => all(addresses, [addresses[leader] ?? '']),
    (member, message) => {
      const writing = members[0]?.log.some((one) => isStatement(one, 'create-document'))
      if (member === 0 && message.name === 'COMMIT' && writing) {
        leader = 1
        return 'cut'
      }
      return 'sound'
    },
  )
  const store = await opened(members[0])
  expect((await store.writeDocument('c', 'id', 0, 1)).version).toBe(1)
  expect(members.map((member) => count(member, 'create-document'))).toEqual([1, 1])
}, 30_000)

test('who we are and how long we wait goes with every transaction', async () => {
  const [member] = await cluster(1, (addresses) => all(addresses, addresses))
  const store = await opened(member)
  await store.state()
  const hello = member?.log.find(({ name }) => name === 'HELLO')
  expect(hello?.fields[0]).toMatchObject({ user_agent: expect.stringMatching(/^jejak\/\d/) })
  const begins = member?.log.filter(({ name }) => name === 'BEGIN') ?? []
  expect(begins.length).toBeGreaterThan(0)
  for (const { fields } of begins)
    expect(fields[0]).toMatchObject({ db: 'neo4j', tx_timeout: 5_000n })
}, 30_000)
