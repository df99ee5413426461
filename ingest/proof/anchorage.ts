import { KnownError } from '../../src/ledger/errors.ts'
import type { VouchedBlock } from '../../src/store/proofs.ts'
import { type RpcNode, RpcRefusal } from '../rpc/node.ts'
import { fields, hash, invalidAnswer, wholeNumber } from '../rpc/values.ts'

/** A block hash that the operator gives, from a source of their own. */
export interface GivenAnchor {
  readonly block: number
  readonly hash: string
}

/** Blocks below the head that count as final where a node does not know the tag. */
const deepEnough = 64

/**
 * The block on which the proof of a range hangs: the operator's lowest anchor at its end or above; else the end itself,
 * for which two endpoints give one hash. Never the word of the one endpoint that is to be proven right.
 *
 * @throws KnownError `proof.unanchored` where neither is there or the block is not final; `rpc.invalid-answer` where the
 *   endpoints contradict each other
 */
export async function vouchFor(
  block: number,
  endpoints: readonly RpcNode[],
  given: readonly GivenAnchor[],
): Promise<VouchedBlock> {
  const [own] = given.filter((anchor) => anchor.block >= block).sort((a, b) => a.block - b.block)
  if (own) return { ...own, by: ['operator'] }
  return agreedBlock(block, endpoints)
}

/**
 * A final block for which all endpoints, at least two, give one hash.
 *
 * @throws KnownError as {@link vouchFor}
 */
export async function agreedBlock(
  block: number,
  endpoints: readonly RpcNode[],
): Promise<VouchedBlock> {
  const names = [...new Set(endpoints.map(({ name }) => name))]
  if (names.length < 2) {
    throw new KnownError('proof.unanchored', `only one endpoint vouches for block ${block}`, {
      facts: { block },
      hint: 'Give --rpc a second time, with a node of another operator, or --anchor BLOCK=HASH from a source of your own.',
    })
  }
  const told = await Promise.all(endpoints.map((node) => toldBlock(node, block)))
  const [first] = told
  const other = told.find((hash) => hash !== first)
  if (first === undefined || other !== undefined) {
    throw invalidAnswer(
      `block ${block} is ${first} for ${endpoints[0]?.name} and ${other} for another endpoint`,
    )
  }
  return { block, hash: first, by: names }
}

async function toldBlock(node: RpcNode, block: number): Promise<string> {
  const last = await finalBlock(node)
  if (last < block) {
    throw new KnownError(
      'proof.unanchored',
      `block ${block} is not final yet: ${node.name} calls blocks final through ${last}`,
      { facts: { block, final: last }, hint: `Prove blocks through ${last}, or wait.` },
    )
  }
  const answer = await node.call('eth_getBlockByNumber', [`0x${block.toString(16)}`, false])
  if (answer === null) throw invalidAnswer(`${node.name} does not give block ${block}`)
  return hash(fields(answer, 'a block')['hash'], 'a block hash')
}

/** By the node's `finalized` tag; by depth only where it does not know it. */
async function finalBlock(node: RpcNode): Promise<number> {
  try {
    const block = await node.call('eth_getBlockByNumber', ['finalized', false])
    if (block !== null) return wholeNumber(fields(block, 'a block')['number'], 'a block number')
  } catch (error) {
    if (!(error instanceof RpcRefusal)) throw error
  }
  return wholeNumber(await node.call('eth_blockNumber', []), 'the head') - deepEnough
}
