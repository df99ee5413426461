import { checksummed } from './account.ts'
import { type ChainId, isEvm, parseChain } from './chain.ts'
import { KnownError } from './errors.ts'

declare const brand: unique symbol

/**
 * CAIP-19 asset, lower case on EVM chains: `eip155:1/slip44:60` (ether), `eip155:1/erc20:0x…`. Any other
 * namespace is opaque. Amounts of two assets are never added.
 */
export type AssetId = string & { readonly [brand]: 'AssetId' }

const caip19 = /^([-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32})\/([-a-z0-9]{3,8}):([-.%a-zA-Z0-9]{1,128})$/

/**
 * @throws KnownError `asset.invalid`
 * @example parseAsset('eip155:1/erc20:0xdAC17F958D2ee523a2206206994597C13D831ec7')
 */
export function parseAsset(text: string): AssetId {
  const parts = caip19.exec(text)
  if (!parts) throw invalid(text, 'it is not chain/namespace:reference')
  const [, chain = '', namespace = '', reference = ''] = parts
  if (namespace !== 'erc20' || !isEvm(parseChain(chain))) return text as AssetId
  if (!/^0x[0-9a-fA-F]{40}$/.test(reference))
    throw invalid(text, 'its contract is not 0x and 40 hex digits')
  const lower = reference.toLowerCase()
  const mixed = reference !== lower && reference.slice(2) !== reference.slice(2).toUpperCase()
  if (mixed && checksummed(lower) !== reference)
    throw invalid(text, 'the checksum of its contract is wrong')
  return `${chain}/erc20:${lower}` as AssetId
}

function invalid(text: string, why: string): KnownError {
  const value = text.slice(0, 200)
  return new KnownError('asset.invalid', `"${value}" is not an asset: ${why}`, {
    facts: { value },
    hint: 'Write CAIP-19, for example eip155:1/slip44:60 for ether or eip155:1/erc20:0x… for a token.',
  })
}

export function assetChain(asset: AssetId): ChainId {
  return asset.slice(0, asset.indexOf('/')) as ChainId
}

/** The token's contract in lower case, or undefined when the asset is not an ERC-20 token. */
export function tokenContract(asset: AssetId): string | undefined {
  const at = asset.indexOf('/erc20:')
  return at < 0 ? undefined : asset.slice(at + 7)
}

export function tokenAsset(chain: ChainId, contract: string): AssetId {
  return `${chain}/erc20:${contract.toLowerCase()}` as AssetId
}

/** CAIP-19 with the checksummed contract: the form in which assets leave Jejak. */
export function formatAsset(asset: AssetId): string {
  const contract = tokenContract(asset)
  if (contract === undefined || !isEvm(assetChain(asset))) return asset
  return `${assetChain(asset)}/erc20:${checksummed(contract)}`
}
