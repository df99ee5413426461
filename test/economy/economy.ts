import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRandomNumbers } from '../../src/sample/randomNumbers.ts'
import { type Anvil, startAnvil } from '../chain/anvil.ts'
import { type LaunderersOptions, planCrime, type Truth } from './launderers.ts'
import { createMarket } from './market.ts'

export interface EconomyOptions extends Omit<LaunderersOptions, 'start'> {
  readonly seed: number
  readonly people: number
  readonly transactions: number
  readonly blocks: number
}

/** A chain on which somebody was robbed, among many who go about their business. */
export interface Economy {
  readonly anvil: Anvil
  readonly chain: string
  readonly truth: Truth
  readonly transactions: number
  readonly actors: number
  /** Label file of the services, as an operator gets one. */
  readonly tags: string
  /** Token list of the chain. */
  readonly tokens: string
}

/** Small enough for every test run. */
export const smallEconomy: EconomyOptions = {
  seed: 1,
  people: 40,
  transactions: 600,
  blocks: 110,
  stolen: 1_000_000_000_000n,
  crumbs: 100,
  peels: 4,
  branches: 6,
}

/** At least 300 actors and 20,000 transactions. */
export const fullEconomy: EconomyOptions = {
  seed: 1,
  people: 250,
  transactions: 18_500,
  blocks: 280,
  stolen: 1_000_000_000_000n,
  crumbs: 1_000,
  peels: 12,
  branches: 12,
}

/**
 * Makes the chain, and beside it the files that an operator has and the truth that nobody has. The same seed plans the
 * same economy; the chain id is drawn by anvil's door.
 */
export async function makeEconomy(folder: string, options: EconomyOptions): Promise<Economy> {
  const anvil = await startAnvil([
    '--block-base-fee-per-gas',
    '0',
    '--gas-limit',
    '3000000000',
    '--disable-min-priority-fee',
  ])
  const random = createRandomNumbers(options.seed)
  const market = await createMarket(anvil, random)
  market.bustle(options)
  const truth = planCrime(market, random, { ...options, start: 8 })
  truth.payment = await market.mine()
  const chainId = Number(await anvil.call('eth_chainId'))
  const chain = `eip155:${chainId}`
  const tags = join(folder, 'labels.csv')
  const rows = [
    ...market.exchanges.map((at, i) => [at, `Exchange ${i + 1}: hot wallet`, 'exchange']),
    [market.mixer, 'Mixer', 'mixing_service'],
    [market.pool, 'Pool', 'defi_dex'],
  ]
  writeFileSync(
    tags,
    [
      'address,chain,label,category,source',
      ...rows.map(([at, label, category]) => [at, chain, label, category, 'operator'].join()),
    ].join('\n'),
  )
  const tokens = join(folder, 'tokens.json')
  writeFileSync(
    tokens,
    JSON.stringify(tokenList(chainId, [market.token.address, market.other.address])),
  )
  writeFileSync(
    join(folder, 'truth.json'),
    JSON.stringify(
      { ...truth, involved: [...truth.involved] },
      (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value),
      1,
    ),
  )
  const actors = options.people * 2 + truth.involved.size + market.exchanges.length + 4
  return { anvil, chain, truth, transactions: market.planned(), actors, tags, tokens }
}

function tokenList(chainId: number, [first = '', second = '']: readonly string[]): unknown {
  const token = (address: string, symbol: string): unknown => ({
    chainId,
    address,
    symbol,
    name: symbol,
    decimals: 6,
  })
  return {
    name: 'Economy',
    timestamp: '2026-01-01T00:00:00Z',
    version: { major: 1, minor: 0, patch: 0 },
    tokens: [token(first, 'USDX'), token(second, 'OTHR')],
  }
}
