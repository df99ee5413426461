import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Comparison } from '../../src/analysis/compare.ts'
import { openKnowledge } from '../../src/api/knowledge.ts'
import { runBounds } from '../../src/api/runBounds.ts'
import { runComparison } from '../../src/api/runTrace.ts'
import { type Account, parseAccount } from '../../src/ledger/account.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { jejak } from '../cli/jejak.ts'
import { realData } from '../realData.ts'
import { inFolder } from './folder.ts'

const chain = 'eip155:1' as ChainId

/** The table of known error rates: three real cases under every method, their listed terminals, and the bounds. */
export async function benchCases(): Promise<void> {
  for (const name of ['TxPhish', 'LIFI', 'Atomic']) {
    const folder = realData(`mftracer-cases/${name}/jejak`)
    if (folder === undefined) {
      console.log(`${name}: not here; name the folder of the cases in JEJAK_REAL_DATA`)
      continue
    }
    await inFolder(async (store) => {
      await jejak('--store', store, 'import', join(folder, 'transfers.csv'), '--complete')
      await jejak('--store', store, 'tags', 'import', join(folder, 'tags.csv'))
      await measure(name, store, folder)
    })
  }
}

async function measure(name: string, store: string, folder: string): Promise<void> {
  const accounts = (file: string): Account[] =>
    readFileSync(join(folder, file), 'utf8')
      .trim()
      .split(/\s+/)
      .map((line) => parseAccount(line, chain))
  const terminals = new Set(accounts('terminals.txt'))
  const knowledge = await openKnowledge(store)
  try {
    const request = { seedAddresses: accounts('seeds.txt'), side: 'sent' } as const
    const compared = await runComparison(knowledge, request)
    console.log(`${name}: ${compared.seeds.length} seeds`)
    for (const method of compared.methods)
      console.log(`  ${method}: ${atTerminals(compared, method, terminals)} of ${terminals.size}`)
    const bounded = await runBounds(knowledge, { ...request, to: 'by_outcome' })
    for (const { target, min, max } of 'outcomes' in bounded ? bounded.outcomes : [])
      console.log(
        `  ${String(target)}: ${min ?? 'no minimum'} to ${percent(max, compared.seedTotal)}`,
      )
  } finally {
    await knowledge.close()
  }
}

function atTerminals(
  { places, seedTotal }: Comparison,
  method: Comparison['methods'][number],
  terminals: ReadonlySet<Account>,
): string {
  const reached = places.filter(
    ({ account, faces }) => terminals.has(parseAccount(account)) && faces[method] !== '0',
  )
  const face = reached.reduce((sum, { faces }) => sum + BigInt(faces[method] ?? 0), 0n)
  const count = new Set(reached.map(({ account }) => account)).size
  return `${percent(face.toString(), seedTotal)} at ${count} terminals`
}

function percent(part: string | undefined, whole: string): string {
  const tenThousandths = (BigInt(part ?? 0) * 10_000n) / BigInt(whole)
  return `${Number(tenThousandths) / 100} %`
}
