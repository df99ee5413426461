import type { PackedKeys, TransferBatch } from '../ledger/transferBatch.ts'

/** One row of a batch. */
export interface RowAt {
  readonly batch: TransferBatch
  readonly row: number
}

/**
 * True when two rows say the same, compared column by column: nothing is made, so that a source that repeats
 * what it has told costs little.
 */
export function sameRow(a: RowAt, b: RowAt): boolean {
  return sameMovement(a, b) && sameContext(a, b) && flagsOf(a) === flagsOf(b)
}

/** True when `a` says nothing that `b`, of the same id, does not say: what is optional may be absent. */
export function saysAtMost(a: RowAt, b: RowAt): boolean {
  if (!sameMovement(a, b)) return false
  const [ca, cb] = [contextOf(a), contextOf(b)]
  const [x, y] = [a.batch.contexts, b.batch.contexts]
  const { blockHash, txIndex, signer } = x
  return (
    x.block[ca] === y.block[cb] &&
    x.time[ca] === y.time[cb] &&
    ((blockHash[ca] as number) < 0 || sameBlockHash(a, b)) &&
    ((txIndex[ca] as number) < 0 || txIndex[ca] === y.txIndex[cb]) &&
    ((signer[ca] as number) < 0 || sameAccount(a, b, signer[ca], y.signer[cb])) &&
    (a.batch.rows.flags[a.row] === 0 || flagsOf(a) === flagsOf(b))
  )
}

/** Chain and transaction are equal by how the rows were found; the id, the asset, both sides and the amount. */
function sameMovement(a: RowAt, b: RowAt): boolean {
  const [x, y] = [a.batch.rows, b.batch.rows]
  return (
    x.position[a.row] === y.position[b.row] &&
    x.kind[a.row] === y.kind[b.row] &&
    sameAmount(a, b) &&
    sameAccount(a, b, x.from[a.row], y.from[b.row]) &&
    sameAccount(a, b, x.to[a.row], y.to[b.row]) &&
    a.batch.assets[x.asset[a.row] as number] === b.batch.assets[y.asset[b.row] as number]
  )
}

function sameAmount(a: RowAt, b: RowAt): boolean {
  const [x, y] = [a.batch.rows.amount, b.batch.rows.amount]
  const [i, j] = [a.row * 4, b.row * 4]
  return (
    x[i] === y[j] &&
    x[i + 1] === y[j + 1] &&
    x[i + 2] === y[j + 2] &&
    x[i + 3] === y[j + 3] &&
    a.batch.wide.get(a.row) === b.batch.wide.get(b.row)
  )
}

function sameContext(a: RowAt, b: RowAt): boolean {
  const [ca, cb] = [contextOf(a), contextOf(b)]
  const [x, y] = [a.batch.contexts, b.batch.contexts]
  return (
    x.block[ca] === y.block[cb] &&
    x.time[ca] === y.time[cb] &&
    x.txIndex[ca] === y.txIndex[cb] &&
    sameBlockHash(a, b) &&
    sameAccount(a, b, x.signer[ca], y.signer[cb])
  )
}

function contextOf({ batch, row }: RowAt): number {
  return batch.rows.context[row] as number
}

function flagsOf({ batch, row }: RowAt): string | undefined {
  return batch.flagSets[batch.rows.flags[row] as number]
}

function sameBlockHash(a: RowAt, b: RowAt): boolean {
  const x = a.batch.contexts.blockHash[contextOf(a)] as number
  const y = b.batch.contexts.blockHash[contextOf(b)] as number
  if (x < 0 || y < 0) return x === y
  return sameKeys(keyOf(a.batch.blockHashes, x), keyOf(b.batch.blockHashes, y), 0)
}

/** Accounts by their numbers in the two batches; −1 is nobody. */
function sameAccount(a: RowAt, b: RowAt, x = -1, y = -1): boolean {
  if (x < 0 || y < 0) return x === y
  const [one, other] = [keyOf(a.batch.accounts, x), keyOf(b.batch.accounts, y)]
  // The first byte numbers a chain of its own batch.
  return (
    sameKeys(one, other, 1) &&
    a.batch.chains[one.pool[one.start] as number] ===
      b.batch.chains[other.pool[other.start] as number]
  )
}

interface Key {
  readonly pool: Uint8Array
  readonly start: number
  readonly end: number
}

function keyOf({ pool, ends }: PackedKeys, number: number): Key {
  const start = number === 0 ? 0 : (ends[number - 1] as number)
  return { pool, start, end: ends[number] as number }
}

function sameKeys(a: Key, b: Key, from: number): boolean {
  const length = a.end - a.start
  if (length !== b.end - b.start) return false
  for (let i = from; i < length; i++) if (a.pool[a.start + i] !== b.pool[b.start + i]) return false
  return true
}
