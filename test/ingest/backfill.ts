import { createReadAhead } from '../../ingest/readAhead.ts'
import { connectChain } from '../../ingest/rpc/chainReader.ts'
import { createNode } from '../../ingest/rpc/node.ts'
import { parseAccount } from '../../src/ledger/account.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { createRandomNumbers } from '../../src/sample/randomNumbers.ts'
import { createSimulatedChain, type NodeLimits } from './simulatedChain.ts'
import { createProvider, type ProviderLimits } from './simulatedProvider.ts'
import { createVirtualClock } from './virtualClock.ts'

export interface Backfill {
  readonly head: number
  readonly calls: ProviderLimits
  readonly takes: NodeLimits
  /** Blocks on average between the wallet's transactions. */
  readonly everyBlocks: number
  readonly seed: number
}

export interface BackfillResult {
  /** Of the calls that the provider permits in the time it took, those that it answered. */
  readonly used: number
  /** Of all calls, those that it refused, for their number or for their range. */
  readonly refused: number
  readonly calls: number
  /** Of virtual time. */
  readonly seconds: number
  readonly missing: number
  readonly twice: number
  readonly transfers: number
}

/**
 * Reads a wallet's whole history from a provider with limits, in virtual time: what the provider permits is compared
 * with what was used, and what was read with what there is.
 */
export async function backfill(given: Backfill): Promise<BackfillResult> {
  const clock = createVirtualClock()
  const chain = createSimulatedChain({
    head: given.head,
    payments: paymentsOf(given),
    limits: given.takes,
  })
  const provider = createProvider({
    clock,
    limits: given.calls,
    seed: given.seed,
    answer: chain.answer,
  })
  const node = createNode('https://provider.example/key', { clock, exchange: provider.exchange })
  const started = clock.now()
  const found: string[] = []
  const reading = async (): Promise<void> => {
    const reader = await connectChain(node, () => false, { clock })
    const wallet = parseAccount(chain.wallet, reader.chain as ChainId)
    const head = await reader.head()
    const ahead = createReadAhead(reader, wallet, clock)
    for (let from = 0; from <= head; ) {
      const { read, range } = await ahead.read({ from, to: head })
      for (const { kind, block, position } of read.transfers)
        if (kind === 'token') found.push(`${block}:${position}`)
      from = range.to + 1
    }
  }
  await clock.run(reading())
  const { accepted, refused } = provider.counts()
  const seconds = (clock.now() - started) / 1000
  const known = new Set(found)
  return {
    used: accepted / (given.calls.perSecond * seconds),
    refused: refused / (accepted + refused),
    calls: accepted + refused,
    seconds,
    missing: chain.truth.filter((place) => !known.has(place)).length,
    twice: found.length - known.size,
    transfers: found.length,
  }
}

/** Mostly a transaction now and then; in some stretches many at a time, so that results are the limit. */
function paymentsOf({
  head,
  everyBlocks,
  takes,
  seed,
}: Backfill): { block: number; logs: number }[] {
  const random = createRandomNumbers(seed)
  const payments: { block: number; logs: number }[] = []
  for (let block = 1; block <= head; block += 1 + random.below(2 * everyBlocks)) {
    const isBusy = Math.floor(block / (head / 10)) % 5 === 3
    const most = isBusy ? Math.ceil((3 * takes.results * everyBlocks) / takes.blocks) : 3
    payments.push({ block, logs: 1 + random.below(Math.min(most, 500)) })
  }
  return payments
}
