import { keccak256 } from 'ethers'

/**
 * The contract that a deployer makes by CREATE2 (EIP-1014), lower case; no node is asked. Arguments are hex of 20, 32
 * and 32 bytes.
 *
 * Cost: one hash. (`getCreate2Address` of ethers takes four, for checksums that nobody asked for.)
 *
 * @param initCodeHash - keccak-256 of the creation code.
 */
export function createdAddress(deployer: string, salt: string, initCodeHash: string): string {
  const digest = keccak256(`0xff${deployer.slice(2)}${salt.slice(2)}${initCodeHash.slice(2)}`)
  return `0x${digest.slice(-40)}`
}

/** Salt of a Uniswap V2 pair: hash of both tokens, packed, the lower address first. */
export function pairSalt(token0: string, token1: string): string {
  return keccak256(`${token0}${token1.slice(2)}`)
}

/**
 * Salt of a Uniswap V3 pool: hash of both tokens and the fee as three words, the lower address first.
 *
 * @param fee - in millionths: 3000 is 0.3 %.
 */
export function feePoolSalt(token0: string, token1: string, fee: number): string {
  const words = [token0.slice(2), token1.slice(2), fee.toString(16)]
  return keccak256(`0x${words.map((word) => word.padStart(64, '0')).join('')}`)
}
