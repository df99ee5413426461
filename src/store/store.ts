import type { Account } from '../ledger/account.ts'
import type { ChainId } from '../ledger/chain.ts'
import type { Coverage, CoverageOfMany } from '../ledger/coverage.ts'
import type { Assurance, Finding, Observation } from '../ledger/reconcile.ts'
import type { Tag } from '../ledger/tag.ts'
import type { Transfer, TransferId } from '../ledger/transfer.ts'
import type { TransferBatch } from '../ledger/transferBatch.ts'

/**
 * A document that must still have this version when something is written, compared in the transaction of the write:
 * whoever was overtaken while it slept cannot write any more. Versions only grow as long as the document is never
 * deleted, so an old one never comes back.
 */
export interface Fence {
  readonly collection: string
  readonly id: string
  readonly version: number
}

/** What an append brings: rows of one source, and the coverage that they complete. */
export interface Append {
  /**
   * Objects, or columns where speed matters. A source gives the transfers of one transaction in one batch where
   * it can: what it repeats is then recognised most cheaply.
   */
  readonly transfers: readonly Transfer[] | TransferBatch
  /**
   * Names who told it: a node, an explorer, or one import command. Equal movements of two sources are one
   * (see `reconcile`), equal rows of one source are the same row.
   */
  readonly source: string
  readonly assurance: Assurance
  readonly coverage: readonly (Coverage | CoverageOfMany)[]
  /** Nothing is stored unless all of these hold; then it is KnownError `document.conflict`. */
  readonly fence?: readonly Fence[]
}

export interface AppendResult {
  /** Rows that were not known from this source before. */
  readonly added: number
  /** Rows the same source, or a better one, had told before. */
  readonly known: number
  /** Rows, old or new, that a better source replaced. */
  readonly superseded: number
  /** What the new rows contradict. */
  readonly findings: readonly Finding[]
  /** Highest sequence number after this append. */
  readonly sequence: number
}

export type TombstoneReason = 'orphaned' | 'superseded'

/**
 * The log in sequence order. Every stored row and every tombstone has its own sequence number, from 1 up
 * without holes; nothing is ever changed in place.
 */
export type LogEntry =
  | {
      readonly type: 'transfers'
      /** Sequence number of the first row; row i of the batch has `firstSequence + i`. */
      readonly firstSequence: number
      readonly batch: TransferBatch
      readonly source: string
      readonly assurance: Assurance
    }
  | {
      readonly type: 'tombstones'
      readonly firstSequence: number
      /** Sequence numbers of the rows that no longer count; tombstone i has `firstSequence + i`. */
      readonly dead: Uint32Array
      readonly reason: TombstoneReason
      /** For orphans: the chain and the block from which it was rolled back. */
      readonly rollBack?: { readonly chain: ChainId; readonly fromBlock: number }
    }

export interface TouchQuery {
  readonly accounts: ReadonlySet<Account>
  /** Where the previous page ended; absent for the first page. */
  readonly after?: string
  /** 1 to 10,000. */
  readonly limit: number
}

export interface TouchPage {
  /** Canonical transfers in ledger order, each once. */
  readonly transfers: readonly Transfer[]
  /** Give this as `after` for the next page; absent at the end. */
  readonly next?: string
}

export interface ExpansionQuery {
  /** At most 1,000. */
  readonly accounts: ReadonlySet<Account>
  /** `out`: what they sent; `in`: what they received. */
  readonly direction: 'out' | 'in'
  /** Block time in seconds from which to read. Default 0. */
  readonly since?: number
  /** Most transfers per account, 1 to 10,000. */
  readonly cap: number
}

/** One hop from one account. */
export interface Expansion {
  readonly account: Account
  /** Canonical transfers in ledger order, at most `cap`, the earliest. */
  readonly transfers: readonly Transfer[]
  /** True when the account has more than these. */
  readonly more: boolean
}

export interface SurroundingsQuery {
  /** At most 1,000. */
  readonly accounts: ReadonlySet<Account>
  /** At most 1,000. */
  readonly transactions: readonly { readonly chain: ChainId; readonly tx: string }[]
}

/** A small versioned record: a flag, a lease, an import, a token list. */
export interface StoredDocument {
  readonly collection: string
  readonly id: string
  /** 1 for a new document, then one more for each write. */
  readonly version: number
  /** JSON-serialisable. */
  readonly value: unknown
}

/** A finding and the block that it is about, so that it goes when the block does. */
export interface PlacedFinding {
  readonly finding: Finding
  readonly block: number
}

/** A piece of all that a store holds. */
export type StorePart =
  /** Rows and the tombstones that came with them: apart, two rows could count for one transfer. */
  | { readonly type: 'log'; readonly entries: readonly LogEntry[] }
  | { readonly type: 'coverage'; readonly claims: readonly (Coverage | CoverageOfMany)[] }
  | { readonly type: 'tags'; readonly tags: readonly Tag[] }
  | { readonly type: 'documents'; readonly documents: readonly StoredDocument[] }
  | { readonly type: 'findings'; readonly findings: readonly PlacedFinding[] }

export interface StoreState {
  /** Random id of this store, given when it was made. */
  readonly id: string
  /** Highest sequence number of the log; 0 when empty. */
  readonly sequence: number
  /** Rises with every change of the tags. */
  readonly tagVersion: number
  /** Rises with every change of the coverage. */
  readonly coverageVersion: number
}

/** Claims, and the moment of the store that they are of. */
export interface CoverageMoment {
  readonly state: StoreState
  readonly claims: readonly (Coverage | CoverageOfMany)[]
}

export interface CheckReport {
  readonly rows: number
  readonly canonical: number
  readonly orphaned: number
  readonly superseded: number
  readonly findings: readonly Finding[]
  /** Empty when the store is sound. Each says what is wrong and where. */
  readonly damage: readonly string[]
}

/** Inside {@link Store.atomically}: everything appended becomes visible together, or not at all. */
export interface Appender {
  append(batch: Append): Promise<AppendResult>
}

/**
 * Where transfers live. Every implementation passes test/store/contract.ts, so callers may rely on the words
 * below and on nothing else. Every method may throw KnownError `store.unavailable`, `store.full`, `store.busy`
 * (another writer held on too long; retryable) or `store.damaged`; nothing already stored is lost by any of them.
 */
export interface Store extends Appender {
  state(): Promise<StoreState>

  /**
   * Saves transfers together with the coverage that they complete: both or neither, durable when it returns.
   * The same append again changes nothing.
   *
   * Rows of another source for the same transaction are reconciled at once; superseded rows get tombstones.
   */
  append(batch: Append): Promise<AppendResult>

  /** Runs `work`; all its appends are stored when it returns, none when it throws. Other writers wait. */
  atomically<T>(work: (appender: Appender) => Promise<T>): Promise<T>

  /**
   * Orphans every row of `chain` at `fromBlock` and above, from every source, and cuts coverage back below it.
   * Used after a reorganisation. Orphaned rows stay in the log with a tombstone; they may be appended again.
   *
   * @param fence - nothing is changed unless all of these hold.
   * @returns how many rows became orphans.
   * @throws KnownError `document.conflict` when the fence does not hold
   */
  rollBack(chain: ChainId, fromBlock: number, fence?: readonly Fence[]): Promise<number>

  /** Log entries with sequence numbers above `after`, in order, as of the moment of the call. */
  readLog(after: number): AsyncIterable<LogEntry>

  /** Canonical transfers into or out of any of the accounts, in ledger order, each once, one page at a time. */
  transfersTouching(query: TouchQuery): Promise<TouchPage>

  /**
   * One hop from many accounts, for who has no graph in memory: what each sent or received from a time on, capped per
   * account, accounts in order of their text, each there even when it has none.
   */
  expand(query: ExpansionQuery): Promise<Expansion[]>

  /**
   * What a graph of a part of the ledger is made of: every canonical transfer of each transaction that touches one of
   * the accounts, and of the transactions named; where no source knew the order of a block, of the whole block. In
   * parts of some thousand, each transfer once, in no order. Somebody may write meanwhile: who needs one moment of the
   * log compares its sequence number before and after.
   */
  surroundings(query: SurroundingsQuery): AsyncIterable<readonly Transfer[]>

  /** Every stored observation of these ids that is not orphaned; unknown ids are absent. At most 10,000 ids. */
  observations(ids: readonly TransferId[]): Promise<Observation[]>

  /** All canonical transfers of one transaction, in ledger order as far as the transaction itself decides it. */
  transfersOfTransaction(chain: ChainId, tx: string): Promise<Transfer[]>

  /** Claims for these accounts, one per account, kind, source and interval, touching intervals joined. */
  coverage(accounts: ReadonlySet<Account>): Promise<Coverage[]>

  /** All claims as they were made; what a whole analysis loads once. */
  coverageClaims(): Promise<(Coverage | CoverageOfMany)[]>

  /**
   * The same together with the state of the store, both of one moment: rows up to this sequence number are what these
   * claims are about, whoever writes meanwhile.
   */
  coverageMoment(): Promise<CoverageMoment>

  /** Adds tags; an equal (account, label, category, source) is replaced. All or none. Returns how many were new. */
  putTags(tags: readonly Tag[]): Promise<{ readonly added: number; readonly replaced: number }>

  /** Tags of these accounts, or all tags, sorted by account, source, category, label. */
  tags(accounts?: ReadonlySet<Account>): Promise<Tag[]>

  readDocument(collection: string, id: string): Promise<StoredDocument | undefined>

  /**
   * Compare-and-set: writes only when the stored version is `expected` (0: it does not exist yet).
   *
   * @param fence - nothing is written unless all of these hold too.
   * @throws KnownError `document.conflict` when it is not; its facts name the document; nothing is changed.
   */
  writeDocument(
    collection: string,
    id: string,
    expected: number,
    value: unknown,
    fence?: readonly Fence[],
  ): Promise<StoredDocument>

  /** Removes the document when its version is `expected`; same error otherwise. */
  deleteDocument(collection: string, id: string, expected: number): Promise<void>

  /** Documents of a collection by id, those with ids above `after`, at most `limit`. */
  listDocuments(collection: string, after?: string, limit?: number): Promise<StoredDocument[]>

  /** Contradictions between sources among the rows that are not orphaned. */
  findings(): Promise<Finding[]>

  /**
   * All that the store holds, in an order that depends on nothing else: the log after a sequence number, then the
   * rest. Two stores with equal dumps give equal answers. Nobody should write meanwhile.
   */
  dump(after: number): AsyncIterable<StorePart>

  /**
   * Takes in a part of another store's dump, as it is: log entries keep their sequence numbers and come in order,
   * documents their versions. The same part again changes nothing.
   *
   * @throws KnownError `store.not-empty` when an entry is not the next one, nor one that is here already
   */
  restore(part: StorePart): Promise<void>

  /** Reads everything and verifies it; does not repair. */
  check(progress?: (rows: number) => void): Promise<CheckReport>

  close(): Promise<void>
}
