import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { type Knowledge, openKnowledge } from '../../src/api/knowledge.ts'
import { pinTrace, replayTrace } from '../../src/api/pinnedTraces.ts'
import { runTrace, traceMoment } from '../../src/api/runTrace.ts'
import { diffTrace } from '../../src/api/traceDiff.ts'
import { traceText } from '../../src/api/traceId.ts'
import { encodeBatch } from '../../src/ledger/batchCodec.ts'
import { transferId } from '../../src/ledger/transfer.ts'
import { sampleCase } from '../../src/sample/sampleCase.ts'
import { writeSample } from '../../src/sample/writeSample.ts'
import { openStore } from '../../src/store/open.ts'
import { encodeTombstones } from '../../src/store/segments.ts'
import { coveredFor, tag } from '../analysis/traceLedger.ts'
import { chain, ledgerOf, wallet } from '../ledger.arbitrary.ts'
import { realData } from '../realData.ts'
import { closeFixture, emptied, neo4jUri, uri } from './fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-same-'))

afterAll(async () => {
  await closeFixture()
  rmSync(folder, { recursive: true, force: true })
})

/** Runs the command line as its user would; anything but success is an error with what it said. */
function jejak(...args: string[]): string {
  const cli = join(import.meta.dirname, '..', '..', 'src', 'cli.ts')
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', cli, ...args],
    {
      encoding: 'utf8',
      env: { ...process.env, JEJAK_FOLDER: join(folder, 'local') },
      maxBuffer: 2 ** 28,
    },
  )
  if (status !== 0) throw new Error(`jejak ${args.join(' ')} ended with ${status}: ${stderr}`)
  return stdout
}

interface Running {
  readonly url: string
  readonly output: string
  stop(): Promise<void>
}

/** `jejak start` until it says that it is ready. */
function started(store: string): Promise<Running> {
  const cli = join(import.meta.dirname, '..', '..', 'src', 'cli.ts')
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', cli, '--store', store, 'start', '--port', '0'],
    {
      env: { ...process.env, JEJAK_FOLDER: join(folder, 'start') },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return new Promise((resolve, reject) => {
    let output = ''
    child.once('exit', (code) => reject(new Error(`start ended with ${code}: ${output}`)))
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      const url = /Jejak serves (http:\/\/\S+), ready/.exec(output)?.[1]
      if (url === undefined) return
      const stop = async (): Promise<void> => {
        child.kill('SIGTERM')
        await ended
      }
      resolve({ url, output, stop })
    })
  })
}

/** Value-carrying transfers all over the sample case, as many as asked, always the same. */
async function someSeeds(knowledge: Knowledge, count: number): Promise<string[]> {
  const graph = await knowledge.graph()
  const seeds: string[] = []
  const stride = Math.floor(graph.transferCount / (count * 4))
  for (let i = stride; seeds.length < count && i < graph.transferCount; i += stride) {
    const transfer = graph.transfer(i)
    if (transfer.amount > 0n && transfer.from !== undefined && transfer.to !== undefined)
      seeds.push(graph.transfer(i).id)
  }
  return seeds
}

async function answerOf(knowledge: Knowledge, seed: string): Promise<string> {
  try {
    return JSON.stringify(await runTrace(knowledge, { seeds: [seed] }))
  } catch (error) {
    return `refused: ${(error as Error).message}`
  }
}

/** What every entry of a log says, bytes and all. */
async function logDigest(place: string): Promise<string[]> {
  const store = await openStore(place)
  const digests: string[] = []
  for await (const entry of store.readLog(0)) {
    const bytes = entry.type === 'transfers' ? encodeBatch(entry.batch) : encodeTombstones(entry)
    const told = entry.type === 'transfers' ? `${entry.source} ${entry.assurance}` : entry.reason
    digests.push(`${entry.firstSequence} ${told} ${crc32(bytes)}`)
  }
  await store.close()
  return digests
}

describe.skipIf(neo4jUri === undefined)('the same answers from both stores', () => {
  test('whole trace answers of fifty seeds of the sample case, byte for byte', async () => {
    const files = writeSample(folder, sampleCase(7))
    await emptied()
    const answers: string[][] = []
    const places = [join(folder, 'embedded'), uri()]
    const seeds: string[] = []
    for (const store of places) {
      jejak('--store', store, 'import', '--complete', files.transfers)
      jejak('--store', store, 'tags', 'import', files.tags)
      const knowledge = await openKnowledge({ location: store, folder: join(folder, 'local') })
      if (seeds.length === 0) seeds.push(...(await someSeeds(knowledge, 50)))
      answers.push(await Promise.all(seeds.map((seed) => answerOf(knowledge, seed))))
      expect((await knowledge.store.check()).damage).toEqual([])
      await knowledge.close()
      // With no memory for the graph: from the store, as much as each trace asks for.
      const little = { location: store, folder: join(folder, 'local'), maxGraphBytes: 1 }
      const part = await openKnowledge(little)
      for (const [i, seed] of seeds.entries())
        expect(await answerOf(part, seed)).toBe(answers.at(-1)?.[i])
      await part.close()
    }
    expect(seeds).toHaveLength(50)
    expect(answers[0]?.filter((answer) => answer.includes('"outcomes"')).length).toBeGreaterThan(40)
    expect(answers[1]).toEqual(answers[0])
    // Not only the answers: the logs are the same, entry by entry.
    const [embedded, shared] = await Promise.all(places.map(logDigest))
    expect(shared).toEqual(embedded)
  }, 240_000)

  test('a trace that was pinned in either store replays after its tags changed and blocks went', async () => {
    const [row, ...rest] = ledgerOf([
      [{ from: wallet(1), to: wallet(2), amount: 100n }],
      [{ from: wallet(2), to: wallet(3), amount: 90n }],
      [{ from: wallet(3), to: wallet(4), amount: 80n }],
    ])
    if (!row) throw new RangeError('no row')
    await emptied()
    const texts: string[] = []
    for (const location of [join(folder, 'pinned'), uri()]) {
      const knowledge = await openKnowledge({ location, folder: join(folder, 'pins') })
      const { store } = knowledge
      const transfers = [row, ...rest]
      const coverage = coveredFor(transfers)
      await store.append({ transfers, source: location, assurance: 1, coverage })
      const moment = await traceMoment(knowledge, { seeds: [transferId(row)] })
      await pinTrace(store, moment)
      await store.putTags([tag(wallet(3), 'mixer')])
      await store.rollBack(chain, 102)
      expect(await replayTrace(knowledge, moment.answer.id)).toEqual(moment.answer)
      texts.push(traceText(moment.answer))
      const { diff } = await diffTrace(knowledge, moment.answer.id)
      expect(diff.moved.map(({ outcome, change }) => `${outcome} ${change}`)).toContain('mixer 90')
      await knowledge.close()
    }
    expect(texts[1]).toBe(texts[0])
  })

  test('npm start with either store: the same table, and the same answer over HTTP', async () => {
    await emptied()
    const seen: { table: string; answer: string }[] = []
    for (const store of [join(folder, 'started'), uri()]) {
      const running = await started(store)
      const drainer = /paid (eip155:1:0x[0-9a-fA-F]{40})/.exec(running.output)?.[1] ?? ''
      const response = await fetch(`${running.url}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ seedAddresses: [drainer], asset: 'eip155:1/slip44:60' }),
      })
      expect(response.status).toBe(200)
      seen.push({
        table: running.output.slice(
          running.output.indexOf('outcome'),
          running.output.indexOf('Try:'),
        ),
        answer: await response.text(),
      })
      await running.stop()
    }
    expect(seen[0]?.table).toContain('100 % accounted for')
    expect(seen[1]).toEqual(seen[0])
  }, 120_000)

  test.runIf(realData('mftracer-cases')).each(['TxPhish', 'LIFI', 'Atomic'])(
    'the real case %s, as the command line prints it',
    async (name) => {
      const data = realData(`mftracer-cases/${name}/jejak`) ?? ''
      await emptied()
      const printed = [join(folder, name), uri()].map((store) => {
        jejak('--store', store, 'import', join(data, 'transfers.csv'), '--complete')
        jejak('--store', store, 'tags', 'import', join(data, 'tags.csv'))
        const seeds = ['--seeds-from', join(data, 'seeds.txt'), '--side', 'sent']
        return jejak('--store', store, '--json', 'trace', ...seeds)
      })
      expect(printed[0]).toContain('"outcomes"')
      expect(printed[1]).toBe(printed[0])
    },
    120_000,
  )
})
