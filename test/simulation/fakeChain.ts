import type { RandomNumbers } from '../../src/sample/randomNumbers.ts'

/** A payment as its sender made it; in which block it ends, and whether it fails there, is up to the chain. */
export interface Payment {
  readonly hash: string
  readonly from: string
  readonly to: string
  readonly value: bigint
  readonly failed: boolean
  /** Calls inside it that move coins. */
  readonly calls: readonly { readonly from: string; readonly to: string; readonly value: bigint }[]
  readonly tokens: readonly {
    readonly from: string
    readonly to: string
    readonly amount: bigint
  }[]
}

export interface Block {
  readonly number: number
  readonly hash: string
  readonly parentHash: string
  /** Seconds. */
  readonly time: number
  readonly payments: readonly Payment[]
}

/** A chain that grows and is reorganised, and remembers what it looked like before. */
export interface FakeChain {
  readonly wallets: readonly string[]
  readonly token: string
  readonly blocks: readonly Block[]
  readonly final: number
  /** The chain as it was at a moment. */
  at(ms: number): { readonly blocks: readonly Block[]; readonly final: number }
  byHash(hash: string): Block | undefined
  grow(ms: number): void
  /** Replaces the last blocks by others, mostly with the same payments. */
  reorganise(ms: number, depth: number): void
}

const secondsPerBlock = 12

/** Reorganisations are at most so deep, finality is deeper. */
export const deepest = 20
const finality = 32

/** What every payment costs its sender. */
export const fee = 21_000n

export function createFakeChain(random: RandomNumbers, length: number): FakeChain {
  const address = (): string => `0x${random.hex(20)}`
  const wallets = Array.from({ length: 6 }, address)
  const others = Array.from({ length: 8 }, address)
  const token = address()
  const known = new Map<string, Block>()
  const states: { ms: number; blocks: readonly Block[]; final: number }[] = []
  let blocks: Block[] = []
  let final = 0
  /** Payments that a reorganisation left out: they may come back. */
  let pending: Payment[] = []
  let fork = 0

  const anybody = (): string => random.pick([...wallets, ...others])

  function pay(): Payment {
    const [from, to] = [anybody(), anybody()]
    const value = BigInt(random.below(1_000_000))
    const calls = Array.from({ length: random.below(3) === 0 ? 1 + random.below(2) : 0 }, () => ({
      from: to,
      to: anybody(),
      value: BigInt(random.below(1_000)),
    }))
    const tokens = Array.from({ length: random.below(3) }, () => ({
      from: anybody(),
      to: anybody(),
      amount: BigInt(random.below(1_000_000)),
    }))
    return {
      hash: `0x${random.hex(32)}`,
      from,
      to,
      value,
      failed: random.below(8) === 0,
      calls,
      tokens,
    }
  }

  function add(payments: readonly Payment[]): void {
    const parent = blocks.at(-1)
    const block = {
      number: blocks.length,
      hash: `0x${random.hex(32)}`,
      parentHash: parent?.hash ?? `0x${'0'.repeat(64)}`,
      time: 1_700_000_000 + blocks.length * secondsPerBlock + (fork % 5),
      payments,
    }
    known.set(block.hash, block)
    blocks.push(block)
  }

  function remember(ms: number): void {
    final = Math.max(final, blocks.length - 1 - finality)
    states.push({ ms, blocks: [...blocks], final })
  }

  function newPayments(): Payment[] {
    const back = pending.filter(() => random.below(3) === 0)
    pending = pending.filter((payment) => !back.includes(payment))
    return [...back, ...Array.from({ length: random.below(4) }, pay)]
  }

  for (let i = 0; i < length; i++) add(i === 0 ? [] : newPayments())
  remember(0)
  return {
    wallets,
    token,
    get blocks() {
      return blocks
    },
    get final() {
      return final
    },
    at: (ms) =>
      states.findLast((state) => state.ms <= ms) ?? (states[0] as (typeof states)[number]),
    byHash: (hash) => known.get(hash),
    grow(ms) {
      add(newPayments())
      remember(ms)
    },
    reorganise(ms, depth) {
      fork++
      const gone = blocks.slice(-depth).flatMap(({ payments }) => payments)
      blocks = blocks.slice(0, -depth)
      const again = gone.map((payment) =>
        random.below(10) === 0 ? { ...payment, failed: !payment.failed } : payment,
      )
      const kept = again.filter(() => random.below(6) > 0)
      pending.push(...again.filter((payment) => !kept.includes(payment)))
      const count = Math.max(1, depth - 1 + random.below(4))
      const filled = Array.from({ length: count }, (): Payment[] => [])
      for (const payment of kept) random.pick(filled).push(payment)
      for (const payments of filled) add([...payments, ...newPayments()])
      remember(ms)
    },
  }
}
