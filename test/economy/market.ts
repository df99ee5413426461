import type { RandomNumbers } from '../../src/sample/randomNumbers.ts'
import type { Anvil } from '../chain/anvil.ts'
import { createScene, type Deployed } from '../chain/scene.ts'

/** A transaction of the plan. */
interface Planned {
  readonly from: string
  readonly to: string
  readonly data?: string
  readonly value?: bigint
}

/** Everybody who trades on one chain, and the plan of what they do, block by block. */
export interface Market {
  readonly token: Deployed
  readonly other: Deployed
  readonly victim: string
  /** Hot wallets. */
  readonly exchanges: readonly string[]
  readonly mixer: string
  readonly pool: string
  readonly splitter: string
  readonly planned: () => number
  newAddress(): string
  /** An address that people take for the other: the same beginning and end. */
  lookAlike(of: string): string
  payToken(block: number, from: string, to: string, units: bigint): void
  payEther(block: number, from: string, to: string, units: bigint): void
  /** The victim pays. @returns the block */
  steal(block: number, to: string, units: bigint): number
  /** @returns what the pool pays in the block after this one */
  sell(block: number, from: string, units: bigint): bigint
  mix(block: number, from: string, units: bigint): void
  wash(block: number, from: string, to: string, units: bigint): void
  dust(block: number, to: string): void
  poison(block: number, from: string, to: string): void
  splitEther(
    block: number,
    from: string,
    units: bigint,
    to: readonly [string, string],
  ): readonly [Part, Part]
  /** What honest people do: pay one another, deposit at exchanges, trade, mix. */
  bustle(options: {
    readonly people: number
    readonly transactions: number
    readonly blocks: number
  }): void
  /** Mines the plan. @returns the hash of the victim's payment */
  mine(): Promise<string>
}

interface Part {
  readonly to: string
  readonly units: bigint
}

/** Wei for one base unit of the token: 2,500 tokens of six decimals for one ether. */
const price = 400_000_000n

const supply = 10n ** 30n

export async function createMarket(anvil: Anvil, random: RandomNumbers): Promise<Market> {
  const scene = await createScene(anvil, { gasPrice: '0x0' })
  const maker = scene.people[0] as string
  await anvil.call('anvil_setBalance', [maker, '0xffffffffffffffffffffffff'])
  const token = await scene.deploy('Token', [supply])
  const other = await scene.deploy('Token', [supply])
  const pool = await scene.deploy('Pool', [token.address, price], 10n ** 25n)
  const mixer = await scene.deploy('Mixer')
  const wash = await scene.deploy('Wash')
  const splitter = await scene.deploy('Relay')
  const plan = new Map<number, Planned[]>()
  let count = 0
  let theft: { readonly block: number; readonly place: number } | undefined
  const made = new Set<string>()
  const newAddress = (): string => {
    const address = `0x${random.hex(20)}`
    made.add(address)
    return address
  }
  const victim = newAddress()
  const exchanges = [newAddress(), newAddress()]

  function at(block: number, transaction: Planned): void {
    const known = plan.get(block) ?? []
    known.push(transaction)
    plan.set(block, known)
    count++
  }

  const encoded = (contract: Deployed, name: string, args: readonly unknown[]): string =>
    contract.abi.encodeFunctionData(name, args)
  const transfer = (from: string, to: string, units: bigint): Planned => ({
    from,
    to: token.address,
    data: encoded(token, 'transfer', [to, units]),
  })
  const approve = (asset: Deployed, from: string, spender: Deployed): Planned => ({
    from,
    to: asset.address,
    data: encoded(asset, 'approve', [spender.address, supply]),
  })

  const market: Market = {
    token,
    other,
    victim,
    exchanges,
    mixer: mixer.address.toLowerCase(),
    pool: pool.address.toLowerCase(),
    splitter: splitter.address.toLowerCase(),
    planned: () => count,
    newAddress,
    lookAlike: (of) => `${of.slice(0, 6)}${random.hex(16)}${of.slice(-4)}`,
    payToken: (block, from, to, units) => at(block, transfer(from, to, units)),
    payEther: (block, from, to, units) => at(block, { from, to, value: units }),
    steal(block, to, units) {
      at(block - 1, transfer(maker, victim, units))
      theft = { block, place: plan.get(block)?.length ?? 0 }
      at(block, transfer(victim, to, units))
      return block
    },
    sell(block, from, units) {
      at(block, approve(token, from, pool))
      at(block + 1, { from, to: pool.address, data: encoded(pool, 'sell', [units]) })
      return units * price
    },
    mix: (block, from, units) =>
      at(block, { from, to: mixer.address, data: encoded(mixer, 'deposit', []), value: units }),
    wash(block, from, to, units) {
      at(block, approve(token, from, wash))
      at(block, approve(other, to, wash))
      at(block, { from: maker, to: other.address, data: encoded(other, 'transfer', [to, 3n]) })
      at(block + 2, {
        from,
        to: wash.address,
        data: encoded(wash, 'pay', [token.address, from, to, units, other.address, 1n]),
      })
    },
    dust(block, to) {
      at(block, { from: maker, to: other.address, data: encoded(other, 'transfer', [to, 7n]) })
      at(block, { from: maker, to, value: 11n })
    },
    poison(block, from, to) {
      at(block, transfer(from, to, 0n))
      at(block, transfer(maker, from, 2n))
      at(block + 1, transfer(from, to, 1n))
    },
    splitEther(block, from, units, [a, b]) {
      at(block, {
        from,
        to: splitter.address,
        data: encoded(splitter, 'split', [a, b]),
        value: units,
      })
      const third = units / 3n
      return [
        { to: a, units: third },
        { to: b, units: units - third },
      ]
    },
    bustle: (options) =>
      bustle(market, random, {
        ...options,
        at,
        transfer,
        approve,
        maker,
        encoded,
        contracts: { pool, mixer, token },
      }),
    async mine() {
      const hashes = await minePlan(anvil, plan)
      return (theft && hashes.get(theft.block)?.[theft.place]) ?? ''
    },
  }
  return market
}

interface Bustle {
  readonly people: number
  readonly transactions: number
  readonly blocks: number
  readonly at: (block: number, transaction: Planned) => void
  readonly transfer: (from: string, to: string, units: bigint) => Planned
  readonly approve: (asset: Deployed, from: string, spender: Deployed) => Planned
  readonly maker: string
  readonly encoded: (contract: Deployed, name: string, args: readonly unknown[]) => string
  readonly contracts: {
    readonly pool: Deployed
    readonly mixer: Deployed
    readonly token: Deployed
  }
}

function bustle(market: Market, random: RandomNumbers, given: Bustle): void {
  const { at, transfer, approve, maker, encoded, contracts } = given
  const people = Array.from({ length: given.people }, () => market.newAddress())
  const deposits = new Map(people.map((person) => [person, market.newAddress()]))
  people.forEach((person, i) => {
    const block = 1 + (i % 4)
    at(block, transfer(maker, person, 10n ** 13n))
    at(block, { from: maker, to: person, value: 10n ** 20n })
    at(block, approve(contracts.token, person, contracts.pool))
  })
  const some = (): bigint => BigInt(1 + random.below(1_000_000)) * 1_000n
  const habits: readonly ((block: number, person: string) => void)[] = [
    (block, person) => at(block, transfer(person, random.pick(people), some())),
    (block, person) => at(block, transfer(person, random.pick(people), some())),
    (block, person) => at(block, { from: person, to: random.pick(people), value: some() }),
    (block, person) => {
      const deposit = deposits.get(person) ?? ''
      const [units, exchange] = [some(), random.pick(market.exchanges)]
      at(block, transfer(person, deposit, units))
      at(block + 3, transfer(deposit, exchange, units))
    },
    (block) => at(block + 4, transfer(random.pick(market.exchanges), random.pick(people), 1n)),
    (block, person) =>
      at(block, {
        from: person,
        to: contracts.pool.address,
        data: encoded(contracts.pool, 'sell', [some()]),
      }),
    (block, person) =>
      at(block, {
        from: person,
        to: contracts.pool.address,
        data: encoded(contracts.pool, 'buy', []),
        value: some() * price,
      }),
    (block, person) =>
      at(block, {
        from: person,
        to: contracts.mixer.address,
        data: encoded(contracts.mixer, 'deposit', []),
        value: some(),
      }),
  ]
  // Exchanges can pay before anybody has deposited.
  for (const exchange of market.exchanges) at(1, transfer(maker, exchange, 10n ** 13n))
  const first = market.planned()
  for (let i = 0; market.planned() - first < given.transactions; i++)
    random.pick(habits)(6 + (i % (given.blocks - 12)), random.pick(people))
}

/** All of a block in one request; whoever sends twice in it does so in this order. */
async function minePlan(
  anvil: Anvil,
  plan: ReadonlyMap<number, readonly Planned[]>,
): Promise<Map<number, string[]>> {
  const nonces = new Map<string, number>()
  const senders = new Set([...plan.values()].flat().map(({ from }) => from))
  const known = [...senders]
  const counts = await batch(
    anvil.url,
    known.map((from) => ['eth_getTransactionCount', [from, 'latest']]),
  )
  known.forEach((from, i) => {
    nonces.set(from, Number(counts[i]))
  })
  await anvil.call('anvil_autoImpersonateAccount', [true])
  await anvil.call('evm_setAutomine', [false])
  const hashes = new Map<number, string[]>()
  const last = Math.max(...plan.keys())
  for (let block = 0; block <= last; block++) {
    const sent = plan.get(block) ?? []
    const calls = sent.map(({ from, to, data, value = 0n }) => {
      const nonce = nonces.get(from) ?? 0
      nonces.set(from, nonce + 1)
      const more = { nonce: hex(BigInt(nonce)), gas: '0x30000', gasPrice: '0x0', value: hex(value) }
      return [
        'eth_sendTransaction',
        [{ from, to, ...(data === undefined ? {} : { data }), ...more }],
      ]
    }) as Call[]
    hashes.set(block, (await batch(anvil.url, calls)) as string[])
    await anvil.call('evm_mine')
  }
  await anvil.call('evm_setAutomine', [true])
  return hashes
}

type Call = readonly [string, readonly unknown[]]

async function batch(url: string, calls: readonly Call[]): Promise<unknown[]> {
  if (calls.length === 0) return []
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(
      calls.map(([method, params], id) => ({ jsonrpc: '2.0', id, method, params })),
    ),
  })
  const answers = (await response.json()) as { id: number; result?: unknown; error?: unknown }[]
  const results: unknown[] = []
  for (const { id, result, error } of answers) {
    if (error !== undefined) throw new Error(`${calls[id]?.[0]}: ${JSON.stringify(error)}`)
    results[id] = result
  }
  return results
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`
}
