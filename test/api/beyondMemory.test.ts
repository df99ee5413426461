import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createApp } from '../../src/api/app.ts'
import { type Knowledge, openKnowledge } from '../../src/api/knowledge.ts'
import { runTrace } from '../../src/api/runTrace.ts'
import { readConfig } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import { sampleCase } from '../../src/sample/sampleCase.ts'
import { writeSample } from '../../src/sample/writeSample.ts'
import { realData } from '../realData.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-beyond-'))
const store = join(folder, 'store')
const sample = sampleCase(7)
let whole: Knowledge
let part: Knowledge

function jejak(args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const cli = join(import.meta.dirname, '..', '..', 'src', 'cli.ts')
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', cli, ...args],
    { encoding: 'utf8', env: { JEJAK_STORE: store, ...process.env, ...env }, maxBuffer: 2 ** 28 },
  )
  if (status !== 0) throw new Error(`jejak ${args.join(' ')} ended with ${status}: ${stderr}`)
  return stdout
}

beforeAll(async () => {
  const files = writeSample(folder, sample)
  jejak(['import', '--complete', files.transfers])
  jejak(['tags', 'import', files.tags])
  whole = await openKnowledge(store)
  part = await openKnowledge({ location: store, maxGraphBytes: 1 })
})

afterAll(async () => {
  await whole.close()
  await part.close()
  rmSync(folder, { recursive: true, force: true })
})

test('fifty seeds of the sample case, with a byte for the graph: the same bytes as in memory', async () => {
  const graph = await whole.graph()
  const stride = Math.floor(graph.transferCount / 50)
  const answers = { outcomes: 0, refused: 0 }
  for (let i = 0; i < 50; i++) {
    const seeds = [graph.transfer(i * stride).id]
    const [expected, got] = await Promise.all(
      [whole, part].map((knowledge) =>
        runTrace(knowledge, { seeds }).then(JSON.stringify, (error: Error) => error.message),
      ),
    )
    expect(got).toBe(expected)
    if (got?.includes('"outcomes"')) answers.outcomes++
    else answers.refused++
  }
  expect(answers.outcomes).toBeGreaterThan(20)
}, 240_000)

test('all that a wallet received and sent as seeds, and its card and transfers over HTTP', async () => {
  const config = readConfig({})
  const asked = await Promise.all(
    [whole, part].map(async (knowledge) => {
      const log = createLog('silent')
      const app = await createApp(knowledge, { config, log, port: () => 7717 })
      const get = async (path: string): Promise<string> => {
        const response = await app.request(`http://127.0.0.1:7717${path}`)
        return `${response.status} ${await response.text()}`
      }
      const seedAddresses = [sample.drainer]
      const answers = [
        await get('/readyz'),
        await get(`/v1/accounts/${sample.drainer}`),
        await get(`/v1/accounts/${sample.drainer}/transfers?limit=3`),
        await get('/v1/accounts/eip155:1:0x00000000000000000000000000000000000000ff'),
      ]
      for (const side of ['received', 'sent'] as const) {
        const request = { seedAddresses, side, asset: 'eip155:1/slip44:60' as never }
        answers.push(JSON.stringify(await runTrace(knowledge, request)))
      }
      return answers.map((answer) => answer.replace(/"next_cursor":"[^"]*"/, ''))
    }),
  )
  expect(asked[1]).toEqual(asked[0])
  expect(asked[0]?.map((answer) => answer.slice(0, 4))).toEqual([
    '200 ',
    '200 ',
    '200 ',
    '200 ',
    '{"ve',
    '{"ve',
  ])
}, 120_000)

test('error: what goes through the whole ledger says what memory it takes', async () => {
  await expect(part.graph()).rejects.toMatchObject({
    code: 'graph.too-large',
    facts: { maxBytes: 1 },
  })
})

test('the command line with JEJAK_MAX_GRAPH_BYTES=1 prints the same trace and content digest', () => {
  const little = { JEJAK_MAX_GRAPH_BYTES: '1' }
  const trace = ['--json', 'trace', '--seeds-from', join(folder, 'sample-seeds.txt')]
  expect(jejak(trace, little)).toBe(jejak(trace))
  expect(jejak(['--json', 'check'], little)).toBe(jejak(['--json', 'check']))
}, 120_000)

test.runIf(realData('mftracer-cases')).each(['TxPhish', 'LIFI', 'Atomic'])(
  'the real case %s, as the command line prints it with a byte for the graph',
  (name) => {
    const data = realData(`mftracer-cases/${name}/jejak`) ?? ''
    const there = ['--store', join(folder, name)]
    jejak([...there, 'import', '--complete', join(data, 'transfers.csv')])
    jejak([...there, 'tags', 'import', join(data, 'tags.csv')])
    const seeds = ['--seeds-from', join(data, 'seeds.txt'), '--side', 'sent']
    const trace = [...there, '--json', 'trace', ...seeds]
    const printed = jejak(trace)
    expect(printed).toContain('"outcomes"')
    expect(jejak(trace, { JEJAK_MAX_GRAPH_BYTES: '1' })).toBe(printed)
  },
  120_000,
)
