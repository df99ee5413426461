import { KnownError } from './errors.ts'

declare const brand: unique symbol

/** CAIP-2 chain id, for example `eip155:1` (Ethereum) or `tron:0x2b6653dc`. */
export type ChainId = string & { readonly [brand]: 'ChainId' }

const caip2 = /^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$/

/**
 * @throws KnownError `chain.invalid`
 * @example parseChain('eip155:1')
 */
export function parseChain(text: string): ChainId {
  if (caip2.test(text)) return text as ChainId
  throw new KnownError('chain.invalid', `"${text.slice(0, 80)}" is not a CAIP-2 chain id`, {
    facts: { value: text.slice(0, 80) },
    hint: 'Write namespace:reference, for example eip155:1 for Ethereum or eip155:56 for BNB Smart Chain.',
  })
}

/** True where addresses are 20 bytes of hex and transactions are 32. */
export function isEvm(chain: ChainId): boolean {
  return chain.startsWith('eip155:')
}
