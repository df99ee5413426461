import { createHash } from 'node:crypto'
import { type Int, intOfHalves } from './connection.ts'

/**
 * A sum over the members of a set, kept beside it. Neo4j applies a transaction piece by piece, and who reads meanwhile
 * sees some of it: a set is whole when its members add up.
 */
export type SetSum = bigint

const modulus = 2n ** 64n

/** What one member adds: 64 bits of its SHA-256. */
export function memberSum(parts: readonly (string | number | boolean | null)[]): SetSum {
  return createHash('sha256').update(JSON.stringify(parts)).digest().readBigUInt64LE(0)
}

export function plus(sum: SetSum, others: readonly SetSum[]): SetSum {
  return others.reduce((all, one) => (all + one) % modulus, sum)
}

export function minus(sum: SetSum, others: readonly SetSum[]): SetSum {
  return others.reduce((all, one) => (all + modulus - one) % modulus, sum)
}

/** As the database keeps it: the same 64 bits with a sign. */
export function sumInt(sum: SetSum): Int {
  return intOfHalves(Number(BigInt.asIntN(32, sum)), Number(BigInt.asIntN(32, sum >> 32n)))
}

export function sumOfRow(value: unknown): SetSum {
  return BigInt.asUintN(64, BigInt(value as bigint))
}
