import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Anvil, startAnvil } from '../chain/anvil.ts'
import { createScene } from '../chain/scene.ts'
import { jejak } from './jejak.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-follow-'))
const store = join(folder, 'store')
const hops = 8
const unit = 10n ** 18n
let anvil: Anvil
let chain: string
let payment: string
let exchange: string

/** Money that goes from hand to hand, each keeping a tenth, and to an exchange at the end. */
beforeAll(async () => {
  anvil = await startAnvil()
  chain = `eip155:${Number(await anvil.call('eth_chainId'))}`
  const { people, send } = await createScene(anvil)
  const fresh = (n: number): string => `0x${'ab'.repeat(19)}${(n + 16).toString(16)}`
  payment = await send(people[1] as string, fresh(0), { value: 10n * unit })
  await anvil.call('anvil_autoImpersonateAccount', [true])
  exchange = fresh(hops)
  for (let hop = 0; hop < hops; hop++)
    await send(fresh(hop), fresh(hop + 1), { value: 10n * unit - BigInt(hop + 1) * (unit / 10n) })
  const labels = join(folder, 'labels.csv')
  writeFileSync(
    labels,
    `address,chain,label,category,source\n${exchange},${chain},Hot,exchange,me\n`,
  )
  await jejak('--store', store, 'tags', 'import', labels)
})

afterAll(async () => {
  await anvil.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** `jejak ingest` that is stopped at its terminal when it has read some wallets. Returns its exit code. */
async function stoppedAfter(wallets: number): Promise<number | null> {
  const program = join(resolve(import.meta.dirname, '../..'), 'src/cli.ts')
  const args = ['--disable-warning=ExperimentalWarning', program]
  const child = spawn(
    process.execPath,
    [...args, '--store', store, '--json', 'ingest', '--rpc', anvil.url],
    { stdio: ['ignore', 'pipe', 'ignore'], detached: true },
  )
  const closed = new Promise<number | null>((done) => child.once('close', done))
  let done = 0
  child.stdout.on('data', (chunk: Buffer) => {
    done += chunk.toString().split('"event":"done"').length - 1
    if (done >= wallets && child.pid !== undefined) process.kill(-child.pid, 'SIGINT')
  })
  return closed
}

test('from a terminal: flag a payment, follow it, stop that, go on, see the trace filled', async () => {
  const flag = `${chain}:${payment}`
  const said = ['--reason', 'report 17', '--source', 'police', '--min-share', '0']
  expect(await jejak('--store', store, 'flag', flag, ...said)).toMatchObject({ code: 0 })
  expect(await stoppedAfter(3)).toBe(0)
  const rest = await jejak('--store', store, 'ingest', '--rpc', anvil.url)
  expect(rest.code).toBe(0)
  expect(rest.err).toMatch(/: done, 0 % of the money unfinished/)
  const shown = await jejak('--store', store, 'flags', flag)
  expect(shown.out).toMatch(/unfinished/)
  expect(shown.out).toMatch(/rests there, and what left it is not read/)
  const all = await jejak('--store', store, '--json', 'flags', flag)
  const { log, following } = JSON.parse(all.out) as {
    log: { subject: string; after: number }[]
    following: { spent: { addresses: number } }
  }
  // Each wallet once: what the stopped one had read was not read again.
  expect(new Set(log.map(({ subject }) => subject)).size).toBe(hops + 1)
  expect(log.at(-1)?.after).toBe(0)
  expect(following.spent.addresses).toBe(hops)
  const traced = await jejak('--store', store, '--json', 'trace', '--flag', flag)
  const { outcomes } = JSON.parse(traced.out) as {
    outcomes: { outcome: string; account: string; share: number }[]
  }
  const ends = outcomes.map(({ outcome }) => outcome)
  expect(ends).toContain('service')
  expect(ends).not.toContain('not_ingested')
}, 120_000)

test('error: a transaction that no node has cannot be a seed', async () => {
  const env = { ...process.env, JEJAK_RPC_URLS: anvil.url }
  const program = join(resolve(import.meta.dirname, '../..'), 'src/cli.ts')
  const ran = (seed: string): Promise<number | null> =>
    new Promise((done) => {
      spawn(
        process.execPath,
        [
          '--disable-warning=ExperimentalWarning',
          program,
          ...['--store', join(folder, 'other'), 'trace', '--seed', seed],
        ],
        { env, stdio: 'ignore' },
      ).once('close', done)
    })
  expect(await ran(`0x${'12'.repeat(32)}`)).toBe(5)
  expect(await ran(payment)).toBe(0)
}, 60_000)
