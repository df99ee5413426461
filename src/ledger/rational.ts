/** A fraction, exact; the denominator is positive. */
export interface Rational {
  readonly numerator: bigint
  readonly denominator: bigint
}
