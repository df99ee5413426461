import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ChainId } from '../../src/ledger/chain.ts'
import { fullEconomy, makeEconomy } from '../economy/economy.ts'
import { followed } from '../economy/followed.ts'
import { rightShare } from '../economy/judge.ts'

/**
 * A whole economy on a real node, in which one victim was robbed: from the one payment, how much of the money is found
 * where it truly ended, and how many addresses were read for that. `JEJAK_REAL_DATA` is not needed.
 */
export async function benchEconomy(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'jejak-economy-'))
  const started = performance.now()
  const economy = await makeEconomy(folder, fullEconomy)
  try {
    const { chain, truth, actors, transactions } = economy
    const made = (performance.now() - started) / 1000
    if (actors < 300 || transactions < 20_000) throw new Error('the economy is too small')
    console.log(
      `economy: ${actors} actors, ${transactions.toLocaleString('en')} transactions, made in ${made.toFixed(1)} s`,
    )
    for (const workers of [1, 2]) {
      const began = performance.now()
      const { flag, answer, steps } = await followed(
        join(folder, `workers-${workers}`),
        economy,
        {
          transaction: { chain: chain as ChainId, tx: truth.payment },
          reason: 'report',
          source: 'police',
        },
        workers,
      )
      const seconds = (performance.now() - began) / 1000
      const { addresses = 0, calls = 0 } = flag.following?.spent ?? {}
      const right = rightShare(answer, truth)
      console.log(
        `economy, ${workers} workers: ${(right * 100).toFixed(3)} % at its true ends, ${addresses} addresses read for ${truth.involved.size} involved, ${calls.toLocaleString('en')} calls, ${steps.length} steps, ${seconds.toFixed(1)} s, ${flag.following?.state}`,
      )
      if (right < 0.99) throw new Error('less than 99 % of the money was found')
      if (addresses > 3 * truth.involved.size) throw new Error('too many addresses were read')
    }
  } finally {
    await economy.anvil.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
