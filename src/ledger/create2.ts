import { AbiCoder, getCreate2Address, keccak256, solidityPackedKeccak256 } from 'ethers'

const abi = AbiCoder.defaultAbiCoder()

/**
 * The contract that a deployer makes by CREATE2 (EIP-1014), lower case; no node is asked.
 *
 * @param deployer - 20 bytes of hex.
 * @param salt - 32 bytes of hex.
 * @param initCodeHash - keccak-256 of the creation code, 32 bytes of hex.
 */
export function createdAddress(deployer: string, salt: string, initCodeHash: string): string {
  return getCreate2Address(deployer, salt, initCodeHash).toLowerCase()
}

/** Salt of a Uniswap V2 pair: hash of both tokens, packed, the lower address first. */
export function pairSalt(token0: string, token1: string): string {
  return solidityPackedKeccak256(['address', 'address'], [token0, token1])
}

/**
 * Salt of a Uniswap V3 pool: hash of both tokens and the fee as three words, the lower address first.
 *
 * @param fee - in millionths: 3000 is 0.3 %.
 */
export function feePoolSalt(token0: string, token1: string, fee: number): string {
  return keccak256(abi.encode(['address', 'address', 'uint24'], [token0, token1, fee]))
}
