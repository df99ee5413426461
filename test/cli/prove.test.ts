import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { formatAccount } from '../../src/ledger/account.ts'
import { lyingProxy } from '../chain/lyingProxy.ts'
import { buildProvenChain, type ProvenChain } from '../ingest/proof/provenChain.ts'
import { jejak, type Ran } from './jejak.ts'

let known: ProvenChain
const store = mkdtempSync(join(tmpdir(), 'jejak-prove-'))

beforeAll(async () => {
  known = await buildProvenChain()
}, 60_000)
afterAll(async () => {
  await known.anvil.stop()
  rmSync(store, { recursive: true, force: true })
})

const prove = (...more: string[]): Promise<Ran> =>
  jejak('--store', store, 'prove', '--rpc', known.anvil.url, '--ethereum-forms', ...more)

test('flag, ingest, prove, coverage: from one node and the word of the operator', async () => {
  const account = formatAccount(known.alice)
  const flagged = ['flag', account, '--reason', 'report 17', '--source', 'hotline']
  expect((await jejak('--store', store, ...flagged)).code).toBe(0)
  expect((await jejak('--store', store, 'ingest', '--rpc', known.anvil.url)).code).toBe(0)
  const blocks = ['--blocks', `0-${known.last}`]
  const { hash } = (await known.anvil.call('eth_getBlockByNumber', [
    `0x${known.last.toString(16)}`,
    false,
  ])) as { hash: string }
  const anchored = [account, ...blocks, '--anchor', `${known.last}=${hash}`]

  // The cost is shown, and nobody is there to agree.
  expect(await prove(...anchored)).toMatchObject({
    code: 2,
    err: expect.stringMatching(/\d+ blocks: about \d+ calls and .* of answers.*--yes/s),
  })
  expect(await prove(account, ...blocks, '--yes')).toMatchObject({
    code: 4,
    err: expect.stringContaining('only one endpoint vouches'),
  })
  expect(await prove(...anchored, '--yes')).toMatchObject({
    code: 0,
    out: expect.stringContaining('Proven from the blocks (A3): fee, native, token, withdrawal'),
  })
  const shown = await jejak('--store', store, 'coverage', account)
  expect(shown.out).toMatch(
    new RegExp(`token +0 +${known.last} +A3 +proven from the blocks +proof`),
  )
  expect(shown.out).toContain(`block ${known.last} vouched for by operator`)
  expect(shown.out).toMatch(/Not covered: .*reward from 0 on/)
  const answer = JSON.parse((await jejak('--store', store, '--json', 'coverage', account)).out)
  expect(answer).toMatchObject({ account, disputes: [] })
  expect(answer.intervals[0]).toMatchObject({ kind: 'fee', fromBlock: 0, assurance: 3 })

  // What a trace uses is proven by its transactions, two endpoints vouching for each block.
  const asked = ['--json', 'trace', '--seed-address', account, '--side', 'sent', '--pin']
  const sent = ['--asset', `${known.chain}/slip44:60`]
  const trace = JSON.parse((await jejak('--store', store, ...asked, ...sent)).out)
  const second = await lyingProxy(known.anvil)
  const proven = await prove('--trace', trace.id, '--yes', '--rpc', second.url, '--json')
  second.close()
  const [done] = proven.out.trim().split('\n').slice(-1)
  expect(proven).toMatchObject({ code: 0 })
  expect(JSON.parse(done ?? '')).toMatchObject({ event: 'done', ok: true, missing: [], proven: [] })
}, 60_000)

test('error: wrong usage', async () => {
  const account = '0x0000000000000000000000000000000000000009'
  const node = ['--rpc', 'http://127.0.0.1:1']
  const wrong = [
    [account, ...node],
    ['--tx', '0x12', ...node],
  ]
  const ran = await Promise.all(wrong.map((args) => jejak('--store', store, 'prove', ...args)))
  expect(ran.map(({ code }) => code)).toEqual([2, 2])
  expect(ran[1]?.err).toContain('is no transaction hash')
})
