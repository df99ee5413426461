import { KnownError } from './errors.ts'

/** Largest amount a chain can record, 2^256 − 1 base units. */
export const largestAmount = (1n << 256n) - 1n

/**
 * Reads base units: decimal digits only, no sign, no separators, no exponent.
 *
 * @throws KnownError `amount.invalid`
 */
export function parseAmount(text: string): bigint {
  if (/^\d{1,78}$/.test(text)) {
    const amount = BigInt(text)
    if (amount <= largestAmount) return amount
  }
  throw new KnownError('amount.invalid', `"${text.slice(0, 100)}" is not an amount in base units`, {
    facts: { value: text.slice(0, 100) },
    hint: 'Give a whole number of base units (wei for ether) between 0 and 2^256-1, digits only.',
  })
}

/**
 * A decimal amount such as `1,234.5` as base units of an asset with `decimals` places, exactly.
 *
 * @returns undefined when the text is no plain decimal number or has more places than the asset.
 */
export function decimalToBaseUnits(text: string, decimals: number): bigint | undefined {
  const match = /^(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d*))?$/.exec(text.trim())
  if (!match || (match[1] === undefined && !match[2])) return undefined
  const whole = (match[1] ?? '0').replaceAll(',', '')
  const places = (match[2] ?? '').replace(/0+$/, '')
  if (places.length > decimals) return undefined
  const amount = BigInt(whole + places.padEnd(decimals, '0'))
  return amount <= largestAmount ? amount : undefined
}

/** Base units as a decimal number for readers; never parsed again. */
export function formatDecimal(amount: bigint, decimals: number): string {
  if (decimals === 0) return amount.toString()
  const digits = amount.toString().padStart(decimals + 1, '0')
  const places = digits.slice(-decimals).replace(/0+$/, '')
  const whole = digits.slice(0, -decimals)
  return places === '' ? whole : `${whole}.${places}`
}

/** Shares are for display and at most 6 decimals, rounded down so that parts never exceed the whole. */
export function shareOf(part: bigint, whole: bigint): number {
  if (whole === 0n) return 0
  return Number((part * 1_000_000n) / whole) / 1_000_000
}
