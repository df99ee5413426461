import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { singleAnswer } from '../../ingest/rpc/answers.ts'
import { checkedBlock, checkedLogs, checkedReceipt } from '../../ingest/rpc/checkedAnswers.ts'
import { createNode, RpcRefusal } from '../../ingest/rpc/node.ts'
import { kindOfRefusal } from '../../ingest/rpc/refusals.ts'
import { realData } from '../realData.ts'
import { type AskedCall, startScriptedRpc } from './scriptedRpc.ts'

/** Request and response pairs of the execution clients' own conformance tests. */
const folder = realData('execution-apis-tests/tests')

interface Pair {
  readonly name: string
  readonly request: AskedCall
  readonly response: string
}

function pairsBelow(root: string): Pair[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.io'))
    .flatMap((name) => {
      const lines = readFileSync(join(root, name), 'utf8').split('\n')
      const requests = lines.filter((line) => line.startsWith('>> ')).map((line) => line.slice(3))
      const responses = lines.filter((line) => line.startsWith('<< ')).map((line) => line.slice(3))
      return requests.map((request, i) => ({
        name: `${name} ${i}`,
        request: JSON.parse(request) as AskedCall,
        response: responses[i] ?? '',
      }))
    })
}

describe.skipIf(folder === undefined)('what execution clients answer', () => {
  const pairs = pairsBelow(folder ?? '')
  const of = (method: string): Pair[] => pairs.filter(({ request }) => request.method === method)
  const resultOf = ({ response }: Pair): unknown =>
    (JSON.parse(response) as { result?: unknown }).result

  test('each comes through the transport as it was sent', async () => {
    expect(pairs.length).toBeGreaterThan(220)
    let next: Pair | undefined
    const server = await startScriptedRpc(({ calls: [call] }) => (response) => {
      const answer = { ...(JSON.parse(next?.response ?? '') as object), id: call?.id }
      response.end(JSON.stringify(answer))
    })
    const node = createNode(server.url, { tries: 1 })
    const wrong: string[] = []
    let refusals = 0
    for (const pair of pairs) {
      next = pair
      const expected = JSON.parse(pair.response) as {
        result?: unknown
        error?: { message: string }
      }
      const got = await node.call(pair.request.method, pair.request.params ?? []).then(
        (result) => ({ result }),
        (error: Error) => ({ error }),
      )
      if ('error' in got) {
        refusals++
        const said = got.error instanceof RpcRefusal ? got.error.words : got.error.message
        const isTold =
          expected.error !== undefined && said.includes(expected.error.message.slice(0, 60))
        if (!isTold) wrong.push(`${pair.name}: ${got.error.message}`)
      } else if (JSON.stringify(got.result) !== JSON.stringify(expected.result))
        wrong.push(pair.name)
    }
    await server.stop()
    expect(wrong).toEqual([])
    expect(refusals).toBeGreaterThan(40)
  })

  test('no error of theirs is taken for a rate limit, a wrong key or a plan that is used up', () => {
    const kinds = pairs.flatMap((pair) => {
      const id = (JSON.parse(pair.response) as { id: number }).id
      const answer = singleAnswer({ status: 200, text: pair.response }, id)
      return 'refused' in answer
        ? [`${kindOfRefusal(answer.refused)}: ${answer.refused.message}`]
        : []
    })
    expect(kinds.filter((kind) => /^(?:rate|key|exhausted|wallets)/.test(kind))).toEqual([])
    expect(kinds.filter((kind) => kind.startsWith('behind')).length).toBeGreaterThan(0)
  })

  test('whole blocks, logs and receipts pass the checks', () => {
    let [blocks, logs, receipts] = [0, 0, 0]
    for (const pair of of('eth_getBlockByNumber')) {
      const block = resultOf(pair) as { number: string; transactions: unknown[] } | null | undefined
      const [, isWhole] = pair.request.params
      if (!block || isWhole !== true) continue
      checkedBlock(block, Number(block.number))
      blocks++
    }
    for (const pair of of('eth_getLogs')) {
      const [filter] = pair.request.params as [
        { fromBlock?: string; toBlock?: string; topics?: [] },
      ]
      const result = resultOf(pair)
      if (result === undefined) continue
      const range = { from: Number(filter.fromBlock ?? 0), to: Number(filter.toBlock ?? 1e9) }
      const topics = (filter.topics ?? []).map((topic: string[] | string | null) =>
        topic?.length === 0 ? null : topic,
      )
      logs += checkedLogs(result, { range, topics }).length
    }
    for (const pair of of('eth_getTransactionReceipt')) {
      const receipt = resultOf(pair) as { blockHash: string; transactionHash: string } | null
      if (!receipt) continue
      const block = {
        number: 1,
        hash: receipt.blockHash,
        time: 1,
        logsBloom: undefined,
        transactions: [],
        withdrawals: [],
      }
      checkedReceipt(receipt, { block, tx: receipt.transactionHash, seen: [] })
      receipts++
    }
    expect(blocks).toBeGreaterThanOrEqual(5)
    expect(logs).toBeGreaterThan(5)
    expect(receipts).toBeGreaterThanOrEqual(7)
  })
})
