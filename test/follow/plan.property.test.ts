import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { trace } from '../../src/analysis/trace.ts'
import { loadAttribution } from '../../src/attribution/load.ts'
import { followedQuery } from '../../src/follow/followedSeeds.ts'
import { buildGraph } from '../../src/graph/build.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'
import { putFlag } from '../../src/store/flags.ts'
import { openStore } from '../../src/store/open.ts'
import { fundedLedger } from '../arbitrary/fundedLedger.ts'
import { play } from './played.ts'

const said = { reason: 'r', source: 's', minShare: 0 }

/** A payment from one wallet to another, by number. */
function seedOf(ledger: readonly Transfer[], choice: number): Transfer | undefined {
  const payments = ledger.filter(({ from, to, amount }) => from && to && from !== to && amount > 0n)
  return payments[choice % Math.max(1, payments.length)]
}

/** The same question to somebody who has the whole ledger. */
async function knowingAll(ledger: readonly Transfer[], seed: Transfer) {
  const folder = mkdtempSync(join(tmpdir(), 'jejak-whole-'))
  const store = await openStore(folder)
  const head = Math.max(...ledger.map(({ block }) => block))
  const accounts = [...new Set(ledger.flatMap(({ from, to }) => [from ?? [], to ?? []].flat()))]
  await store.append({
    transfers: ledger,
    source: 'node:played',
    assurance: 1,
    coverage: accounts.map((account) => ({
      account,
      kind: 'token' as const,
      fromBlock: 0,
      toBlock: head,
      assurance: 1 as const,
      source: 'node:played',
    })),
  })
  const { tags, tokens } = await loadAttribution(store)
  const context = { tags, tokens, coverage: await store.coverageClaims() }
  const graph = await buildGraph(store)
  await store.close()
  rmSync(folder, { recursive: true, force: true })
  return { graph, context, seed }
}

test('what is followed to its end is what somebody sees who knows the whole ledger', async () => {
  const arbitrary = fundedLedger({ wallets: 8, amount: 40, transfers: 30, ordered: true })
  await fc.assert(
    fc.asyncProperty(arbitrary, fc.nat(100), async (ledger, choice) => {
      const seed = seedOf(ledger, choice)
      if (!seed) return
      const played = await play(ledger)
      try {
        const payment = transferId(seed)
        const flag = await putFlag(played.store, { payment, ...said }, new Date(0))
        await played.settle()
        const { following } = await played.flag(payment)
        expect(following).toMatchObject({ state: 'done', unfinished: 0 })
        const more = { asOf: following?.through ?? {}, continueThrough: [], resolve: [] }
        const query = followedQuery(flag, [payment], more)
        const whole = await knowingAll(ledger, seed)
        const { tags, tokens } = await loadAttribution(played.store)
        const coverage = await played.store.coverageClaims()
        const partly = trace(await buildGraph(played.store), { tags, tokens, coverage }, query)
        const { outcomes, movements } = trace(whole.graph, whole.context, query)
        expect(partly.outcomes).toEqual(outcomes)
        expect(partly.movements).toEqual(movements)
      } finally {
        await played.close()
      }
    }),
    { numRuns: 40 },
  )
}, 60_000)
