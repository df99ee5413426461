import { expect, test } from 'vitest'
import {
  categoryTable,
  conceptOf,
  isAdverse,
  isContract,
} from '../../src/attribution/categories.ts'

const table = categoryTable()

test.each([
  ['exchange', 'service'],
  ['gambling', 'service'],
  ['payment_processor', 'service'],
  ['hosted_wallet', 'service'],
  ['deposit_wallet', 'service'],
  ['mixing_service', 'mixer'],
  ['defi_bridge', 'bridge'],
  ['defi_lending', 'contract_custody'],
  ['staking', 'contract_custody'],
  ['vault', 'contract_custody'],
  ['burn', 'burned'],
  ['defi_dex', 'pool'],
] as const)('money that reaches %s ends there: %s', (category, outcome) => {
  expect(table.get(category)).toBe(outcome)
})

test.each(['perpetrator', 'victim', 'sanction', 'malicious', 'market', 'miner', 'other', ''])(
  'a tag "%s" ends no trace',
  (category) => {
    expect(table.get(conceptOf(category))).toBeUndefined()
  },
)

test.each([
  ['mixer', 'mixing_service'],
  ['Mixer', 'mixing_service'],
  ['bridge', 'defi_bridge'],
  ['dex', 'defi_dex'],
  ['cex', 'exchange'],
  ['hot_wallet', 'exchange'],
  ['Cold Wallet', 'exchange'],
  ['hot-wallet', 'exchange'],
  ['sanctioned', 'sanction'],
  [' Deposit Wallet ', 'deposit_wallet'],
  ['pig_butchering', 'pig_butchering'],
])('the word "%s" of a label file means %s', (word, concept) => {
  expect(conceptOf(word)).toBe(concept)
})

test('naming a concept twice changes nothing', () => {
  for (const word of ['mixer', 'Hot Wallet', 'sanctioned', 'my own category', ...table.keys()]) {
    expect(conceptOf(conceptOf(word))).toBe(conceptOf(word))
  }
})

test('an alias leads to a concept, never to another alias', () => {
  for (const word of ['mixer', 'bridge', 'dex', 'cex', 'lending', 'hot_wallet', 'sanctioned']) {
    expect(conceptOf(word)).not.toBe(word)
    expect(conceptOf(conceptOf(word))).toBe(conceptOf(word))
  }
})

test.each(['sanction', 'sanctioned', 'blocked', 'black_list', 'Black List', 'malicious'])(
  'the category "%s" accuses',
  (category) => {
    expect(isAdverse(category)).toBe(true)
  },
)

test('no category both accuses and names a place where money ends', () => {
  expect([...table.keys()].filter(isAdverse)).toEqual([])
})

test("an operator's own categories are added to the shipped ones and may change them", () => {
  const own = categoryTable([
    ['otc_desk', 'service'],
    ['gambling', 'contract_custody'],
  ])
  expect(own.get('otc_desk')).toBe('service')
  expect(own.get('gambling')).toBe('contract_custody')
  expect(own.get('exchange')).toBe('service')
  expect(table.get('otc_desk')).toBeUndefined()
})

test.each([
  ['dex', true],
  ['Bridge', true],
  ['staking', true],
  ['contract', true],
  ['exchange', false],
  ['mixer', false],
  ['other', false],
  ['', false],
])('an address tagged "%s" is surely a contract: %s', (category, is) => {
  expect(isContract(category)).toBe(is)
})
