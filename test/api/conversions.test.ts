import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openKnowledge } from '../../src/api/knowledge.ts'
import { runTrace } from '../../src/api/runTrace.ts'
import { importPrices } from '../../src/attribution/importPrices.ts'
import { parseAccount } from '../../src/ledger/account.ts'
import { parseAsset } from '../../src/ledger/asset.ts'
import type { ConversionRecord } from '../../src/ledger/conversionRecord.ts'
import { transferId } from '../../src/ledger/transfer.ts'
import { appendDocument } from '../../src/store/documentLog.ts'
import type { Store } from '../../src/store/store.ts'
import { chain, hash, type Leg, ledgerOf, usdt, wallet, weth } from '../ledger.arbitrary.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-conversions-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let stores = 0

/** The pool of WETH and USDT that Uniswap V2's factory made: nothing in these stores says so. */
const pair = parseAccount('eip155:1:0x0d4a11d5EEaaC28EC3F61d100daF4d40471f1852')
const usdc = parseAsset('eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48')
const [victim, thief, other, desk] = [wallet(1), wallet(2), wallet(3), wallet(4)]

/** Where 100 stolen dollars ended and by which rules they were converted, given what they were part of. */
async function traced(legs: readonly Leg[], prepare?: (store: Store) => Promise<unknown>) {
  const knowledge = await openKnowledge(join(folder, `store-${++stores}`))
  try {
    const transfers = ledgerOf([[{ from: victim, to: thief, amount: 100n, asset: usdt }], legs])
    const accounts = [victim, thief, other, desk, pair]
    const coverage = accounts.map((account) => ({
      account,
      kind: 'token' as const,
      fromBlock: 0,
      toBlock: 1000,
      assurance: 0 as const,
      source: 'test',
    }))
    await knowledge.store.append({ transfers, source: 'test', assurance: 0, coverage })
    await prepare?.(knowledge.store)
    const seed = transferId(transfers[0] as (typeof transfers)[number])
    const answer = await runTrace(knowledge, { seeds: [seed] })
    return {
      ends: answer.outcomes.map(
        ({ outcome, account, asset, amount }) =>
          `${outcome} ${account?.toLowerCase()} ${asset.toLowerCase()} ${amount}`,
      ),
      rules: answer.conversions.map(({ rule }) => rule),
    }
  } finally {
    await knowledge.close()
  }
}

const swap: readonly Leg[] = [
  { from: thief, to: pair, amount: 100n, asset: usdt },
  { from: pair, to: thief, amount: 40n, asset: weth },
]

test('a swap through a pool that no tag names is followed, since the factory is listed', async () => {
  expect(await traced(swap)).toEqual({ ends: [`still_held ${thief} ${weth} 40`], rules: ['pool'] })
})

test('the same swap with an address that no factory made is no conversion', async () => {
  const elsewhere = swap.map((leg) =>
    leg.from === thief ? { ...leg, to: desk } : { ...leg, from: desk },
  )
  expect(await traced(elsewhere)).toEqual({ ends: [`still_held ${desk} ${usdt} 100`], rules: [] })
})

const gift: readonly Leg[] = [
  { from: thief, to: pair, amount: 100n, asset: usdt },
  { from: pair, to: other, amount: 40n, asset: weth },
]
const record: ConversionRecord = {
  chain,
  tx: hash(2),
  position: 3,
  pool: pair,
  recipient: other,
  gets: weth,
}

test('whom a pool paid for another is known by what ingest decoded, and only by that', async () => {
  expect(await traced(gift)).toMatchObject({
    ends: [`contract_custody ${pair} ${usdt} 100`],
    rules: [],
  })
  const told = await traced(gift, (store) =>
    appendDocument(store, 'conversion', { records: [record] }),
  )
  expect(told).toEqual({ ends: [`still_held ${other} ${weth} 40`], rules: ['record'] })
})

const exchange: readonly Leg[] = [
  { from: thief, to: desk, amount: 100n, asset: usdt },
  { from: desk, to: thief, amount: 95n, asset: usdc },
]

function prices(...rows: readonly string[]): (store: Store) => Promise<unknown> {
  const path = join(folder, `prices-${++stores}.csv`)
  writeFileSync(path, `asset,time,currency,price,source\n${rows.join('\n')}\n`)
  return (store) => importPrices(store, [path])
}

test('an exchange at market value is one where prices say so', async () => {
  const time = 1_700_000_000 + 101 * 12
  const converted = { ends: [`still_held ${thief} ${usdc} 95`], rules: ['price'] }
  const kept = { ends: [`still_held ${desk} ${usdt} 100`], rules: [] }
  expect(await traced(exchange)).toEqual(kept)
  const both = (price: string, at = time) =>
    prices(`${usdt},${at},USD,1,desk`, `${usdc},${at},USD,${price},desk`)
  expect(await traced(exchange, both('1'))).toEqual(converted)
  expect(await traced(exchange, both('0.9'))).toEqual(kept)
  expect(await traced(exchange, both('1', time + 1))).toEqual(kept)
  expect(await traced(exchange, both('1', time - 86_401))).toEqual(kept)
  expect(await traced(exchange, prices(`${usdt},${time},USD,1,desk`))).toEqual(kept)
})

test('a contract of which ingest saw the code, and that exchanges, ends what is not converted', async () => {
  const coded = await traced(exchange, (store) =>
    appendDocument(store, 'code', { accounts: [desk] }),
  )
  expect(coded).toEqual({ ends: [`contract_custody ${desk} ${usdt} 100`], rules: [] })
})
