import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { importBridges } from '../../src/attribution/importBridges.ts'
import { loadAttribution } from '../../src/attribution/load.ts'
import { openRegistries } from '../../src/attribution/registries.ts'
import { parseChain } from '../../src/ledger/chain.ts'
import { openStore } from '../../src/store/open.ts'
import { realData } from '../realData.ts'

const folder = mkdtempSync(join(tmpdir(), 'jejak-real-bridges-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Deposits on Ethereum, with what was called on Polygon to pay them out. */
const place = 'connector-crosschain/data/Validation/ETH-Polygon'
const source = realData(place)

const columns =
  'message,fromChain,fromTx,fromAsset,fromAmount,toChain,toTx,toAsset,toAmount,receiver'

interface Deposit {
  readonly txhash: string
  readonly args: { readonly receiver: string; readonly amount: string; readonly asset_s: string }
}

/** What the payout says: message, token, receiver, amount. */
interface Payout {
  readonly message: string
  readonly token: string
  readonly receiver: string
  readonly amount: bigint
}

/** A pair of label.csv with its deposit. */
interface Pair {
  readonly fromTx: string
  readonly toTx: string
  readonly receiver: string
  readonly amount: bigint
  readonly asset: string
}

/**
 * The calls of input.csv stand in another order than the pairs, so each is given to the one pair that it fits, if it
 * fits no other and no other call fits that pair; the rest is no proof and becomes no row.
 */
function table(
  bridge: string,
  payoutOf: (input: string) => Payout | undefined,
  fits: (payout: Payout, pair: Pair) => boolean,
) {
  const read = (name: string): string => readFileSync(join(source ?? '', bridge, name), 'utf8')
  // Amounts are larger than JSON numbers can be.
  const quoted = read('sample.json').replace(/("amount": )(\d+)/g, '$1"$2"')
  const deposits = new Map((JSON.parse(quoted) as Deposit[]).map((one) => [one.txhash, one.args]))
  const pairs = rowsOf(read('label.csv')).map(([, , fromTx = '', , toTx = '']): Pair => {
    const { receiver = '', amount = '0', asset_s: asset = '' } = deposits.get(fromTx) ?? {}
    return { fromTx, toTx, receiver: receiver.toLowerCase(), amount: BigInt(amount), asset }
  })
  const payouts = rowsOf(read('input.csv')).flatMap(([, input = '']) => payoutOf(input) ?? [])
  const rows = pairs.flatMap((pair) => {
    const [payout, another] = payouts.filter((one) => fits(one, pair))
    if (!payout || another || pairs.filter((one) => fits(payout, one)).length > 1) return []
    const left = [payout.message, 'ethereum', pair.fromTx, `eip155:1/erc20:${pair.asset}`]
    const arrived = ['polygon', pair.toTx, `eip155:137/erc20:${payout.token}`, payout.amount]
    return [[...left, pair.amount, ...arrived, payout.receiver].join(',')]
  })
  return { pairs: pairs.length, payouts: payouts.length, rows }
}

/** The message is the deposit's hash; the receiver must agree besides. */
const fitsByHash = (payout: Payout, pair: Pair): boolean =>
  payout.message === `multichain:${pair.fromTx.slice(2)}` && payout.receiver === pair.receiver

/** The data does not tell a deposit's message, so only receiver and amount, less a fee, are left to go by. */
const fitsByAmount = (payout: Payout, pair: Pair): boolean =>
  payout.receiver === pair.receiver &&
  payout.amount <= pair.amount &&
  10n * payout.amount >= 8n * pair.amount

function rowsOf(text: string): string[][] {
  const lines = text.split(/\r?\n/).slice(1)
  return lines.filter((line) => line !== '').map((line) => line.split(','))
}

/** `anySwapIn(bytes32 txs, address token, address to, uint amount, uint fromChainID)`: txs is the deposit's hash. */
function multichainPayout(input: string): Payout | undefined {
  if (!input.startsWith('0x0175b1c4')) return undefined
  const words = input.slice(10).match(/.{64}/g) ?? []
  const [message = '', token = '', receiver = '', amount = ''] = words
  return {
    message: `multichain:${message}`,
    token: `0x${token.slice(-40)}`,
    receiver: `0x${receiver.slice(-40)}`,
    amount: BigInt(`0x${amount}`),
  }
}

/** Celer pays by a protobuf: from liquidity (`relay`), or by minting (`mint`), whose fields are others. */
function celerPayout(input: string): Payout | undefined {
  const isRelay = input.startsWith('0xcdd1b25d')
  if (!isRelay && !input.startsWith('0xf8734302')) return undefined
  const bytes = Buffer.from(input.slice(2), 'hex')
  const start = 4 + Number(BigInt(`0x${bytes.subarray(4, 36).toString('hex')}`))
  const length = Number(BigInt(`0x${bytes.subarray(start, start + 32).toString('hex')}`))
  const fields = protobuf(bytes.subarray(start + 32, start + 32 + length))
  const field = (n: number): string => fields.get(n) ?? ''
  const [receiver, token, amount, message] = isRelay ? [2, 3, 4, 7] : [2, 1, 3, 6]
  return {
    message: `celer:${field(message)}`,
    token: `0x${field(token)}`,
    receiver: `0x${field(receiver)}`,
    amount: BigInt(`0x${field(amount) || '0'}`),
  }
}

/** Fields of bytes in hex; of numbers nothing is needed. */
function protobuf(bytes: Uint8Array): ReadonlyMap<number, string> {
  const fields = new Map<number, string>()
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0
      value += (byte & 127) * 2 ** shift
      if (byte < 128) return value
    }
  }
  while (at < bytes.length) {
    const key = varint()
    const size = varint()
    if ((key & 7) !== 2) continue
    fields.set(key >> 3, Buffer.from(bytes.subarray(at, at + size)).toString('hex'))
    at += size
  }
  return fields
}

describe.runIf(source)('legs that others have matched', () => {
  test.each([
    ['Celer', celerPayout, fitsByAmount, 598, 597, 485],
    ['Multi', multichainPayout, fitsByHash, 2144, 2138, 2138],
  ] as const)('%s loads as a table, and each is found by both transactions', async (...given) => {
    const [bridge, payoutOf, fits, pairs, payouts, proven] = given
    const made = table(bridge, payoutOf, fits)
    expect(made).toMatchObject({ pairs, payouts })
    expect(made.rows).toHaveLength(proven)
    const file = join(folder, `${bridge}.csv`)
    writeFileSync(file, `${[columns, ...made.rows].join('\n')}\n`)
    const store = await openStore(join(folder, bridge))
    try {
      const report = await importBridges(store, [file])
      expect(report).toEqual({ rows: proven, added: proven, repeated: 0 })
      const registries = await openRegistries(store)(await loadAttribution(store))
      for (const row of made.rows) {
        const [, , fromTx = '', , , , toTx = ''] = row.split(',')
        const [match] = registries.leaving(parseChain('eip155:1'), fromTx)
        expect(match?.toTx).toBe(toTx)
        expect(registries.arriving(parseChain('eip155:137'), toTx)).toEqual([match])
      }
      const [first = ''] = made.rows
      const replayed = first.replace(/[^,]*$/, '0x00000000000000000000000000000000000000aa')
      writeFileSync(file, `${[columns, replayed].join('\n')}\n`)
      await expect(importBridges(store, [file])).rejects.toMatchObject({
        code: 'bridge.invalid',
        facts: { field: 'message' },
      })
    } finally {
      await store.close()
    }
  })
})
