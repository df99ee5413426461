import { createMPT } from '@ethereumjs/mpt'
import { RLP } from '@ethereumjs/rlp'
import { encodeReceipt, type TxReceipt } from '@ethereumjs/vm'
import type { BlockHeader } from '../../ingest/proof/blockHeader.ts'
import { proveReceipts } from '../../ingest/proof/provenBlock.ts'
import { encodeReceipt as ownReceipt } from '../../ingest/proof/receipt.ts'
import { signerOf } from '../../ingest/proof/signedTransaction.ts'
import { listRoot } from '../../ingest/proof/trie.ts'
import type { Fields } from '../../ingest/rpc/values.ts'
import { recordedBlocks, recordedResults } from '../ingest/proof/recorded.ts'

const wanted = 200
const runs = 21

/**
 * The receipts of a block of 200 transactions, from the node's JSON to the root that the header must have, beside
 * @ethereumjs: its own encoding of receipts that are bytes already, and its trie. Both must give one root.
 */
export async function benchProof(): Promise<void> {
  const receipts = recordedBlocks()
    .flatMap((block) => block.receipts)
    .slice(-wanted)
  if (receipts.length < wanted) throw new Error('the bench needs JEJAK_REAL_DATA')
  const receiptsRoot = await listRoot(receipts.map(ownReceipt))
  const header = { number: 1, hash: '', receiptsRoot } as BlockHeader
  const transactions = receipts.map(() => ({}))
  const text = JSON.stringify(receipts)
  const decoded = receipts.map(peerReceipt)
  const times = { own: [] as number[], json: [] as number[], peer: [] as number[] }
  for (let run = 0; run < runs; run++) {
    times.own.push(await timed(() => proveReceipts(header, receipts, transactions)))
    times.json.push(
      await timed(() => proveReceipts(header, JSON.parse(text) as Fields[], transactions)),
    )
    times.peer.push(
      await timed(async () => {
        const root = await peerRoot(decoded)
        if (root !== receiptsRoot) throw new Error(`the peer's root is ${root}`)
      }),
    )
  }
  const logs = receipts.reduce((sum, receipt) => sum + (receipt['logs'] as unknown[]).length, 0)
  console.log(
    `receipts root of ${wanted} receipts with ${logs} logs (${Math.round(text.length / 1000)} kB): ${median(times.own)} ms, with JSON.parse ${median(times.json)} ms; @ethereumjs from bytes ${median(times.peer)} ms (median of ${runs}, highest ${Math.max(...times.json).toFixed(0)} ms)`,
  )
  benchSigners()
}

function benchSigners(): void {
  const signed = recordedResults()
    .flatMap(transactionsIn)
    .filter(({ r }) => typeof r === 'string' && r !== '0x0')
  const started = performance.now()
  for (const transaction of signed) signerOf(transaction)
  const each = (performance.now() - started) / signed.length
  if (signed.length === 0) throw new Error('no signature was checked')
  console.log(`signer from the signature: ${each.toFixed(2)} ms a transaction`)
}

function transactionsIn(result: unknown): Fields[] {
  const list = (result as { readonly transactions?: unknown } | null)?.transactions
  return Array.isArray(list) ? list.filter((item) => typeof item === 'object') : []
}

function peerReceipt(receipt: Fields): {
  readonly receipt: TxReceipt
  readonly type: 0 | 1 | 2 | 3 | 4
} {
  const bytes = (value: unknown): Uint8Array => Buffer.from(String(value).slice(2), 'hex')
  const logs = (receipt['logs'] as Fields[]).map(
    ({ address, topics, data }) =>
      [bytes(address), (topics as string[]).map(bytes), bytes(data)] as const,
  )
  return {
    type: Number(receipt['type']) as 0 | 1 | 2 | 3 | 4,
    receipt: {
      status: Number(receipt['status']) as 0 | 1,
      cumulativeBlockGasUsed: BigInt(String(receipt['cumulativeGasUsed'])),
      bitvector: bytes(receipt['logsBloom']),
      logs: logs as unknown as TxReceipt['logs'],
    } as TxReceipt,
  }
}

async function peerRoot(receipts: readonly ReturnType<typeof peerReceipt>[]): Promise<string> {
  const trie = await createMPT()
  for (const [i, { receipt, type }] of receipts.entries())
    await trie.put(RLP.encode(i), encodeReceipt(receipt, type))
  return `0x${Buffer.from(trie.root()).toString('hex')}`
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

function median(values: readonly number[]): string {
  return ([...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN).toFixed(1)
}
