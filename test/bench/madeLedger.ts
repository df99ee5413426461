import type { AssetId } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { type TransferBatch, TransferBatchBuilder } from '../../src/ledger/transferBatch.ts'

/**
 * A seeded ledger as column batches: addresses by a power law (hubs), every transaction a fee and one or two
 * transfers, about fifty transactions a block, in ledger order.
 */
export function* madeLedger(given: {
  readonly transfers: number
  readonly addresses: number
  readonly batch: number
  readonly seed: number
  /** Chance of each of the first addresses to be picked besides the power law: exchanges and routers. */
  readonly hubs?: readonly number[]
  /** Rows as a node tells them: with the hash of their block. */
  readonly fromNode?: boolean
  /** Another seed once the addresses are made: other transfers between the same addresses. */
  readonly thenSeed?: number
  /** First block, so that several ledgers can follow each other. */
  readonly firstBlock?: number
}): Generator<TransferBatch> {
  let state = given.seed >>> 0
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state
  }
  const pool = new Uint8Array(given.addresses * 20)
  for (let i = 0; i < pool.length; i++) pool[i] = next() >>> 24
  if (given.thenSeed !== undefined) state = given.thenSeed >>> 0
  const pick = (): number => {
    for (const [i, chance] of (given.hubs ?? []).entries())
      if (next() / 0x100000000 < chance) return i * 20
    const share = next() / 0x100000000
    // A few addresses take part in much, most in little.
    return Math.min(given.addresses - 1, Math.floor(given.addresses * share ** 3)) * 20
  }
  const hash = new Uint8Array(32)
  const blockHash = new Uint8Array(32)
  const builder = new TransferBatchBuilder()
  let made = 0
  for (let transaction = 0; made < given.transfers; transaction++) {
    const chain = builder.chain('eip155:1' as ChainId)
    const ether = builder.asset('eip155:1/slip44:60' as AssetId)
    const token = builder.asset(`eip155:1/erc20:0x${'0'.repeat(39)}${transaction % 5}` as AssetId)
    for (let i = 0; i < 32; i++) hash[i] = next() >>> 24
    const signer = builder.evmAccount(chain, pool, pick())
    const block = Math.floor(transaction / 50) + (given.firstBlock ?? 19_000_000)
    blockHash.fill(block & 0xff)
    new DataView(blockHash.buffer).setUint32(0, block)
    const context = builder.context({
      chain,
      transaction: builder.transactionHash(hash, 0),
      block,
      time: 1_472_000_000 + block * 12,
      blockHash: given.fromNode ? builder.blockHash(blockHash, 0) : -1,
      txIndex: transaction % 50,
      signer,
    })
    const fee = builder.row(context, 0, 0, ether)
    builder.sides(fee, signer, -1)
    builder.limbs(fee, [next(), next() & 0xff, 0, 0])
    const value = builder.row(context, 1, 0, ether)
    builder.sides(value, signer, builder.evmAccount(chain, pool, pick()))
    builder.limbs(value, [next(), next() & 0xffff, 0, 0])
    made += 2
    if (transaction % 2 === 0) {
      const leg = builder.row(context, 3, transaction % 50, token)
      builder.sides(
        leg,
        builder.evmAccount(chain, pool, pick()),
        builder.evmAccount(chain, pool, pick()),
      )
      builder.limbs(leg, [next(), next() & 0xffffff, 0, 0])
      made++
    }
    if (builder.length >= given.batch || made >= given.transfers) {
      yield builder.build()
      builder.reset()
    }
  }
}
