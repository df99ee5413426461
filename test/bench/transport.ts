import { readFileSync } from 'node:fs'
import { Interface } from 'ethers'
import { tokenLegOfLog, transferTopic } from '../../ingest/decode/tokenLog.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { type Backfill, backfill } from '../ingest/backfill.ts'
import { readBigAnswer } from '../ingest/bigAnswer.ts'
import { realData } from '../realData.ts'

/** Reading from nodes: decoding logs beside ethers, the memory of a long answer, the use of a provider's limits. */
export async function benchTransport(): Promise<void> {
  benchDecoding()
  for (const megabytes of [60, 150]) {
    const { logs, code, residentMiB } = await readBigAnswer(megabytes)
    const what = logs === undefined ? `refused (${code})` : `${logs.toLocaleString('en')} logs read`
    console.log(`answer of ${megabytes} MB: ${what}, ${residentMiB} MiB resident`)
  }
  for (const given of backfills) await benchBackfill(given)
}

interface RecordedLog {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
}

/** CPU time counts, not time by the clock: other work on the machine makes neither side slower. */
function logsPerSecond(
  count: number,
  rounds: number,
  work: () => number,
): [rate: number, found: number] {
  for (let i = 0; i < rounds / 10; i++) work()
  const before = process.cpuUsage()
  let found = 0
  for (let i = 0; i < rounds; i++) found += work()
  const { user, system } = process.cpuUsage(before)
  return [(count * rounds * 1e6) / (user + system), found / rounds]
}

function benchDecoding(): void {
  const file = realData(
    'ethereum-etl-fixtures/tests/resources/test_stream/blocks_17173049_17173050/expected_logs.json',
  )
  if (file === undefined) return
  const all = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RecordedLog)
  const logs = all.filter(({ topics }) => topics[0] === transferTopic && topics.length === 3)
  const chain = 'eip155:1' as ChainId
  const isWrapped = (): boolean => false
  const [ours, oursFound] = logsPerSecond(logs.length, 2_000, () => {
    let sum = 0n
    for (const { address, topics, data } of logs)
      sum ^= tokenLegOfLog({ chain, contract: address, topics, data, isWrapped })?.amount ?? 0n
    return Number(sum & 0xffffn)
  })
  const transfer = new Interface([
    'event Transfer(address indexed from, address indexed to, uint256 value)',
  ])
  const [theirs, theirsFound] = logsPerSecond(logs.length, 50, () => {
    let sum = 0n
    for (const log of logs) sum ^= transfer.parseLog(log)?.args['value'] as bigint
    return Number(sum & 0xffffn)
  })
  if (oursFound !== theirsFound) throw new Error('the two decoded different amounts')
  const show = (rate: number): string => Math.round(rate).toLocaleString('en')
  console.log(
    `${logs.length} recorded ERC-20 logs: ${show(ours)} logs/s a core, ethers' interface ${show(theirs)} (${(ours / theirs).toFixed(1)} times)`,
  )
}

const wide = {
  head: 8_000_000,
  takes: {
    blocks: 10_000,
    results: 10_000,
    wordsForBlocks: 'eth_getLogs is limited to a 10,000 range',
  },
  everyBlocks: 4_000,
  seed: 1,
}
const narrow = {
  head: 30_000,
  takes: {
    blocks: 10,
    results: 10_000,
    wordsForBlocks: 'You can make eth_getLogs requests with up to a 10 block range.',
  },
  everyBlocks: 60,
  seed: 2,
}
const backfills: readonly Backfill[] = (['second', 'sliding', 'bucket'] as const).flatMap(
  (counts) => [
    { ...wide, calls: { perSecond: 10, counts } },
    { ...narrow, calls: { perSecond: 5, counts } },
  ],
)

async function benchBackfill(given: Backfill): Promise<void> {
  const result = await backfill(given)
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`
  const { perSecond, counts } = given.calls
  console.log(
    `backfill, ${given.takes.blocks.toLocaleString('en')} blocks, ${perSecond} calls/s (${counts}): ${percent(result.used)} of the permitted calls used, ${percent(result.refused)} refused, ${result.missing} missing, ${result.twice} twice; ${result.calls.toLocaleString('en')} calls in ${Math.round(result.seconds).toLocaleString('en')} s of virtual time`,
  )
  if (result.missing + result.twice > 0) throw new Error('the backfill has a gap or a duplicate')
}
