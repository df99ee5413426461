import { openStore } from '../../src/store/open.ts'
import { ledgerOf, wallet } from '../ledger.arbitrary.ts'

/** A process that appends numbered batches for ever, saying each that is durable; tests kill it. */
const [folder = ''] = process.argv.slice(2)
const store = await openStore(folder)
const { sequence } = await store.state()
for (let batch = sequence / 20; ; batch++) {
  const all = ledgerOf(
    Array.from({ length: (batch + 1) * 20 }, (_, i) => [
      { from: wallet(1), to: wallet(2), amount: BigInt(i + 1) },
    ]),
  )
  const transfers = all.slice(-20)
  const last = transfers.at(-1)?.block ?? 0
  const coverage = [
    {
      account: wallet(1),
      kind: 'token' as const,
      fromBlock: 100,
      toBlock: last,
      assurance: 1 as const,
      source: 'w',
    },
  ]
  await store.append({ transfers, source: 'w', assurance: 1, coverage })
  process.stdout.write(`${batch}\n`)
}
