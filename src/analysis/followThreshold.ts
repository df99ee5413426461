/**
 * The share of the seed from which an address is followed, as an exact comparison of integers: 0.001 means one
 * thousandth, not the binary fraction next to it.
 *
 * @param share - 0 to 1, as the caller wrote it.
 * @param halvings - how often the share was halved since.
 * @returns the least face that attains share / 2^halvings of the total.
 */
export function followThreshold(total: bigint, share: number, halvings: number): bigint {
  const { numerator, denominator } = exactDecimal(share)
  const divisor = denominator << BigInt(halvings)
  return (total * numerator + divisor - 1n) / divisor
}

/** Whether `part` is at most `share` of `total`. */
export function isAtMostShare(part: bigint, share: number, total: bigint): boolean {
  const { numerator, denominator } = exactDecimal(share)
  return part * denominator <= total * numerator
}

function exactDecimal(value: number): { readonly numerator: bigint; readonly denominator: bigint } {
  const [mantissa = '0', exponent = '0'] = value.toString().split('e')
  const [whole = '0', places = ''] = mantissa.split('.')
  const scale = places.length - Number(exponent)
  const digits = BigInt(whole + places)
  if (scale <= 0) return { numerator: digits * 10n ** BigInt(-scale), denominator: 1n }
  return { numerator: digits, denominator: 10n ** BigInt(scale) }
}
