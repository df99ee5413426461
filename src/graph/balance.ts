/**
 * A balance of 128 bits in four limbs, for running through millions of events without a bigint each. A payment
 * beyond the balance is preceded by a clean inflow of what is missing (design 8.1), so it ends at zero.
 */
export class Balance {
  #l0 = 0
  #l1 = 0
  #l2 = 0
  #l3 = 0
  /** Set once a sum leaves 128 bits: from there on the limbs mean nothing. */
  overflowed = false

  clear(): void {
    this.#l0 = 0
    this.#l1 = 0
    this.#l2 = 0
    this.#l3 = 0
    this.overflowed = false
  }

  add(amounts: Uint32Array, at: number): void {
    const s0 = this.#l0 + (amounts[at] as number)
    const s1 = this.#l1 + (amounts[at + 1] as number) + (s0 > 0xffffffff ? 1 : 0)
    const s2 = this.#l2 + (amounts[at + 2] as number) + (s1 > 0xffffffff ? 1 : 0)
    const s3 = this.#l3 + (amounts[at + 3] as number) + (s2 > 0xffffffff ? 1 : 0)
    if (s3 > 0xffffffff) this.overflowed = true
    this.#l0 = s0 >>> 0
    this.#l1 = s1 >>> 0
    this.#l2 = s2 >>> 0
    this.#l3 = s3 >>> 0
  }

  /** @returns true when the amount was more than the balance. */
  subtract(amounts: Uint32Array, at: number): boolean {
    const d0 = this.#l0 - (amounts[at] as number)
    const d1 = this.#l1 - (amounts[at + 1] as number) - (d0 < 0 ? 1 : 0)
    const d2 = this.#l2 - (amounts[at + 2] as number) - (d1 < 0 ? 1 : 0)
    const d3 = this.#l3 - (amounts[at + 3] as number) - (d2 < 0 ? 1 : 0)
    const short = d3 < 0
    this.#l0 = short ? 0 : d0 >>> 0
    this.#l1 = short ? 0 : d1 >>> 0
    this.#l2 = short ? 0 : d2 >>> 0
    this.#l3 = short ? 0 : d3 >>> 0
    return short
  }

  load(limbs: Uint32Array, at: number): void {
    this.#l0 = limbs[at] as number
    this.#l1 = limbs[at + 1] as number
    this.#l2 = limbs[at + 2] as number
    this.#l3 = limbs[at + 3] as number
    this.overflowed = false
  }

  save(limbs: Uint32Array, at: number): void {
    limbs[at] = this.#l0
    limbs[at + 1] = this.#l1
    limbs[at + 2] = this.#l2
    limbs[at + 3] = this.#l3
  }

  toBigInt(): bigint {
    const low = BigInt(this.#l0) | (BigInt(this.#l1) << 32n)
    if (this.#l2 === 0 && this.#l3 === 0) return low
    return low | (BigInt(this.#l2) << 64n) | (BigInt(this.#l3) << 96n)
  }
}
