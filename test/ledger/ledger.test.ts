import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatAccount, isZero, parseAccount } from '../../src/ledger/account.ts'
import {
  decimalToBaseUnits,
  formatDecimal,
  largestAmount,
  parseAmount,
  shareOf,
} from '../../src/ledger/amount.ts'
import { formatAsset, parseAsset } from '../../src/ledger/asset.ts'
import { decodeBatch, encodeBatch } from '../../src/ledger/batchCodec.ts'
import { ByteTable } from '../../src/ledger/byteTable.ts'
import { parseChain } from '../../src/ledger/chain.ts'
import { gapsIn, joinIntervals } from '../../src/ledger/coverage.ts'
import { splitCsvLine } from '../../src/ledger/csvLine.ts'
import { knownTokens } from '../../src/ledger/knownTokens.ts'
import { ledgerOrder } from '../../src/ledger/order.ts'
import { reconcile } from '../../src/ledger/reconcile.ts'
import { csvTextCell, harmlessText, htmlText } from '../../src/ledger/text.ts'
import {
  movesValue,
  parseTransferId,
  parseTx,
  type Transfer,
  transferId,
} from '../../src/ledger/transfer.ts'
import { batchOf, transfersOf } from '../../src/ledger/transferBatch.ts'
import { wrappedCoins } from '../../src/ledger/wrappedCoins.ts'
import { chain, etherLedger, ledgerOf, randomLedger, wallet } from '../ledger.arbitrary.ts'

const usdt = '0xdAC17F958D2ee523a2206206994597C13D831ec7'

describe('accounts and assets', () => {
  test('formatting and parsing undo each other, in every case of the hex', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 160n - 1n), (n) => {
        const lower = `0x${n.toString(16).padStart(40, '0')}`
        const account = parseAccount(lower, chain)
        expect(parseAccount(formatAccount(account))).toBe(account)
        expect(parseAccount(`0x${lower.slice(2).toUpperCase()}`, chain)).toBe(account)
        const asset = parseAsset(`eip155:1/erc20:${lower}`)
        expect(parseAsset(formatAsset(asset))).toBe(asset)
      }),
    )
  })

  test('error: a wrong checksum, a cut address, a missing chain are refused with what to do', () => {
    for (const text of [
      usdt.replace('dAC', 'DAC'),
      usdt.slice(0, 41),
      `${usdt}0`,
      'vitalik.eth',
      '',
    ]) {
      expect(() => parseAccount(text, chain)).toThrowError(
        expect.objectContaining({
          code: 'account.invalid',
          hint: expect.stringContaining('CAIP-10'),
        }),
      )
    }
    expect(() => parseAccount(usdt)).toThrowError(
      expect.objectContaining({ code: 'account.invalid' }),
    )
    expect(() => parseAccount(`eip155:56:${usdt}`, chain)).toThrowError(
      expect.objectContaining({ code: 'account.invalid' }),
    )
    expect(() => parseChain('Ethereum')).toThrowError(
      expect.objectContaining({ code: 'chain.invalid' }),
    )
    expect(() => parseAsset('USDT')).toThrowError(
      expect.objectContaining({ code: 'asset.invalid' }),
    )
  })

  test('accounts of other namespaces are opaque and keep their case', () => {
    const text = 'tron:0x2b6653dc:TFdTr9C3BqQrzKBXqSxJfAZFTh8UwBAfSg'
    expect(formatAccount(parseAccount(text))).toBe(text)
    expect(parseAccount(text.toLowerCase())).not.toBe(parseAccount(text))
  })

  test('the zero address is nobody', () => {
    expect(isZero(parseAccount('0x0000000000000000000000000000000000000000', chain))).toBe(true)
    expect(isZero(wallet(1))).toBe(false)
  })

  test('the shipped tokens have sound addresses, and each chain has its own wrapped coin', () => {
    expect(knownTokens.size).toBeGreaterThan(50)
    expect(wrappedCoins.size).toBe(7)
    for (const { decimals } of knownTokens.values()) expect(decimals).toBeLessThanOrEqual(18)
  })
})

describe('amounts', () => {
  test('are whole base units up to 2^256-1', () => {
    expect(parseAmount(largestAmount.toString())).toBe(largestAmount)
    for (const text of ['-1', '1.0', '1e3', '0x10', '', ' 1', (largestAmount + 1n).toString()]) {
      expect(() => parseAmount(text)).toThrowError(
        expect.objectContaining({ code: 'amount.invalid' }),
      )
    }
  })

  test('decimals are read and written exactly', () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, largestAmount),
        fc.integer({ min: 0, max: 77 }),
        (amount, decimals) => {
          expect(decimalToBaseUnits(formatDecimal(amount, decimals), decimals)).toBe(amount)
        },
      ),
    )
    expect(decimalToBaseUnits('1,234,567.5', 6)).toBe(1_234_567_500_000n)
    for (const text of ['1,23', '1.2345', '--1', '1 000', ''])
      expect(decimalToBaseUnits(text, 3)).toBeUndefined()
  })

  test('shares are rounded down, so that parts never exceed the whole', () => {
    expect(shareOf(1n, 3n)).toBe(0.333333)
    expect(shareOf(2n ** 255n, 2n ** 256n)).toBe(0.5)
  })
})

test('transfer ids are read back, whatever the form of the transaction', () => {
  for (const tx of [`0x${'ab'.repeat(32)}`, 'reward:17000000', 'withdrawal:12', 'their-own-7']) {
    const parts = { chain, tx, kind: 'token' as const, position: 17 }
    expect(parseTransferId(transferId(parts))).toEqual(parts)
  }
  expect(() => parseTransferId('eip155:1:0xabc:swap:1')).toThrowError(
    expect.objectContaining({ code: 'transfer.invalid' }),
  )
  expect(() => parseTx('0x5d08…', chain)).toThrowError(
    expect.objectContaining({ code: 'transfer.invalid' }),
  )
})

describe('order', () => {
  test('is total and independent of arrival (golden 33)', () => {
    fc.assert(
      fc.property(randomLedger, fc.infiniteStream(fc.nat()), (ledger, picks) => {
        const shuffled = [...ledger]
        for (let i = shuffled.length - 1; i > 0; i--) {
          const j = (picks.next().value ?? 0) % (i + 1)
          const held = shuffled[i] as Transfer
          shuffled[i] = shuffled[j] as Transfer
          shuffled[j] = held
        }
        expect(ledgerOrder(shuffled)).toEqual(ledgerOrder(ledger))
      }),
    )
  })

  test('of an unordered block is the first transaction none of whose senders receives from a remaining one', () => {
    const moving = randomLedger.map((ledger) =>
      ledger.map(({ txIndex: _, ...row }) => ({ ...row, block: 100, time: 5 }) as Transfer),
    )
    fc.assert(
      fc.property(moving, (block) => {
        const names = [...new Set(ledgerOrder(block).map(({ tx }) => tx))]
        expect(names).toEqual(plainCausalOrder(block))
      }),
      { numRuns: 300 },
    )
  })

  test('money that arrives and leaves in one unordered block arrives first', () => {
    const [paid, received] = ledgerOf(
      [
        [{ from: wallet(2), to: wallet(3), amount: 5n }],
        [{ from: wallet(1), to: wallet(2), amount: 5n }],
      ],
      { perBlock: 2, unordered: true },
    )
    expect(ledgerOrder([paid as Transfer, received as Transfer])).toEqual([received, paid])
  })
})

/** The design's sentence word by word, with transactions as sets of (address, asset). */
function plainCausalOrder(block: readonly Transfer[]): string[] {
  const remaining = [...new Set(block.map(({ tx }) => tx))].sort()
  const sides = (tx: string, side: 'from' | 'to'): Set<string> =>
    new Set(
      block
        .filter((t) => t.tx === tx && movesValue(t))
        .flatMap((t) => (t[side] === undefined ? [] : [`${t[side]} ${t.asset}`])),
    )
  const ordered: string[] = []
  while (remaining.length > 0) {
    const free = remaining.find((tx) =>
      remaining.every(
        (other) =>
          other === tx || [...sides(tx, 'from')].every((key) => !sides(other, 'to').has(key)),
      ),
    )
    const next = free ?? (remaining[0] as string)
    ordered.push(next)
    remaining.splice(remaining.indexOf(next), 1)
  }
  return ordered
}

test('reconciling does not depend on which observation came first', () => {
  const observed = fc.array(
    fc
      .record({
        transfer: fc
          .constantFrom(
            ...ledgerOf([
              [
                { from: wallet(1), to: wallet(2), amount: 5n },
                { from: wallet(1), to: wallet(2), amount: 5n },
                { from: wallet(1), to: wallet(3), amount: 7n },
              ],
            ]),
          )
          .chain((t) => fc.nat(3).map((p) => ({ ...t, position: p }))),
        source: fc.constantFrom('a', 'b', 'c'),
      })
      .map((o) => ({ ...o, assurance: o.source === 'a' ? (1 as const) : (0 as const) })),
    { maxLength: 9 },
  )
  fc.assert(
    fc.property(observed, (rows) => {
      const straight = reconcile(rows)
      const turned = reconcile([...rows].reverse())
      const text = (list: readonly { transfer: Transfer }[]): string[] =>
        list.map(({ transfer }) => `${transferId(transfer)} ${transfer.amount}`).sort()
      expect(text(turned.canonical)).toEqual(text(straight.canonical))
      expect(straight.canonical.length + straight.superseded.length).toBe(rows.length)
      const ids = straight.canonical.map(({ transfer }) => transferId(transfer))
      expect(new Set(ids).size).toBe(ids.length)
    }),
  )
})

describe('hostile text', () => {
  test('comes out without anything invisible, HTML or formulas', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(harmlessText(text)).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u)
        expect(htmlText(text)).not.toMatch(/[<>"'`]/)
        expect(csvTextCell(text)).not.toMatch(/^"?\s*[=+\-@]/)
      }),
    )
    expect(harmlessText('US\u202eDT\u200b')).toBe('US[U+202E]DT[U+200B]')
    expect(csvTextCell('=cmd|calc')).toBe("'=cmd|calc")
    expect(csvTextCell('\uff1dSUM(1)')).toBe("'\uff1dSUM(1)")
    expect(harmlessText('x'.repeat(500))).toHaveLength(200)
  })

  test('CSV cells are split as they were written', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 6 }), (cells) => {
        const line = cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')
        expect(splitCsvLine(line)).toEqual(cells)
      }),
    )
    expect(splitCsvLine('a,"b')).toBeUndefined()
  })
})

describe('batches', () => {
  test('hold transfers exactly, also as bytes', () => {
    fc.assert(
      fc.property(fc.oneof(randomLedger, etherLedger), (ledger) => {
        const batch = batchOf(ledger)
        expect([...transfersOf(batch)]).toEqual(ledger)
        expect([...transfersOf(decodeBatch(encodeBatch(batch)))]).toEqual(ledger)
      }),
    )
  })

  test('error: bytes that are no batch are refused, never a crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => decodeBatch(bytes)).toThrowError(
          expect.objectContaining({ code: 'store.damaged' }),
        )
      }),
    )
  })

  test('a byte table numbers as a Map does', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 5 }), { maxLength: 300 }), (keys) => {
        const table = new ByteTable(1)
        const map = new Map<string, number>()
        for (const key of keys) {
          const text = key.join(',')
          expect(table.find(key)).toBe(map.get(text) ?? -1)
          if (!map.has(text)) map.set(text, map.size)
          expect(table.intern(key)).toBe(map.get(text))
        }
        expect(table.size).toBe(map.size)
      }),
    )
  })
})

test('intervals join where they touch, and gaps are what is left', () => {
  expect(
    joinIntervals([
      { from: 5, to: 9 },
      { from: 0, to: 4 },
      { from: 20, to: 30 },
    ]),
  ).toEqual([
    { from: 0, to: 9 },
    { from: 20, to: 30 },
  ])
  expect(
    gapsIn({ from: 0, to: 40 }, [
      { from: 5, to: 9 },
      { from: 20, to: 30 },
    ]),
  ).toEqual([
    { from: 0, to: 4 },
    { from: 10, to: 19 },
    { from: 31, to: 40 },
  ])
})
