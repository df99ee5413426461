import { type Account, accountChain } from '../ledger/account.ts'
import type { AssetId } from '../ledger/asset.ts'
import type { ChainId } from '../ledger/chain.ts'
import { parseTransferId, type TransferId } from '../ledger/transfer.ts'
import type { Graph } from './graph.ts'
import type { LedgerSummary } from './summary.ts'

/** A transaction by its name: `<chain> <tx>`. */
export function transactionName(chain: ChainId, tx: string): string {
  return `${chain} ${tx}`
}

/** What is known of the ledger besides the rows that are in the graph. Transactions in the graph are whole. */
export interface LoadedPart {
  readonly graph: Graph
  readonly summary: LedgerSummary
  /** Accounts all of whose transfers are in the graph. */
  readonly whole: ReadonlySet<Account>
  /** Accounts that are in the graph if the ledger has them. */
  readonly known: ReadonlySet<Account>
  /** Transactions that are in the graph if the ledger has them. */
  readonly transactions: ReadonlySet<string>
}

/** What somebody asked a graph of a part of the ledger that the part cannot answer. */
export interface Needs {
  /** Accounts whose whole history was asked for. */
  readonly accounts: Set<Account>
  /** Accounts of which it was asked whether the ledger has them. */
  readonly existence: Set<Account>
  /** Accounts whose receivers were counted, and did not reach the cap. */
  readonly receivers: Set<Account>
  readonly transactions: Set<string>
  /**
   * Accounts whose balance or events at one moment were asked for. They matter only where money that is followed came
   * to rest: what leaves an account without it is clean, whatever the account held.
   */
  readonly moments: Set<Account>
  /** Those of them whose next payments were looked for: what an account is asked that such money rests with. */
  readonly followed: Set<Account>
}

export interface Recorded {
  readonly graph: Graph
  /** What was missing so far. */
  needs(): Needs
}

/**
 * A graph of a part of the ledger that notes what it was asked and does not hold. It answers as if the part were all;
 * the answer counts only when nothing was missing.
 */
export function recordedGraph(part: LoadedPart): Recorded {
  const { graph, summary } = part
  const needs = noNeeds()
  const isWhole = remembered((address) => part.whole.has(graph.account(address)))
  const moments = createMoments()
  const needWhole = (address: number): void => {
    if (address >= 0 && !isWhole(address)) needs.accounts.add(graph.account(address))
  }
  const needTransaction = (chain: ChainId, tx: string): void => {
    const name = transactionName(chain, tx)
    if (!part.transactions.has(name)) needs.transactions.add(name)
  }
  const questions: Graph = {
    ...plainQuestions(graph),
    ...wholeLedger(summary),
    address(account: Account) {
      const address = graph.address(account)
      const mayExist = summary.chains.includes(accountChain(account))
      if (address < 0 && mayExist && !part.known.has(account)) needs.existence.add(account)
      return address
    },
    holding(address, asset) {
      const holding = graph.holding(address, asset)
      if (holding < 0) needWhole(address)
      return holding
    },
    holdingsOf(address) {
      needWhole(address)
      return graph.holdingsOf(address)
    },
    events(holding) {
      moments.events(holding)
      return graph.events(holding)
    },
    balanceBefore(holding, index) {
      moments.balance(holding)
      return graph.balanceBefore(holding, index)
    },
    shortfalls(holding) {
      moments.balance(holding)
      return graph.shortfalls(holding)
    },
    find(id: TransferId) {
      const found = graph.find(id)
      const { chain, tx } = parseTransferId(id)
      if (found < 0) needTransaction(chain, tx)
      return found
    },
    findTransaction(chain, tx) {
      const legs = graph.findTransaction(chain, tx)
      if (legs.length === 0) needTransaction(chain, tx)
      return legs
    },
    receivers(address, options) {
      // More rows can only show more of them: what reaches the cap here reaches it in the whole ledger.
      const count = graph.receivers(address, options)
      if (count < options.cap && !isWhole(address)) needs.receivers.add(graph.account(address))
      return count
    },
  }
  return {
    graph: questions,
    needs() {
      for (const { holding, followed } of moments.all()) {
        const address = graph.addressOf(holding)
        if (isWhole(address)) continue
        const account = graph.account(address)
        needs.moments.add(account)
        if (followed) needs.followed.add(account)
      }
      return needs
    },
  }
}

function noNeeds(): Needs {
  return {
    accounts: new Set(),
    existence: new Set(),
    receivers: new Set(),
    transactions: new Set(),
    moments: new Set(),
    followed: new Set(),
  }
}

/** What a summary knows of the whole ledger. */
function wholeLedger(summary: LedgerSummary) {
  return {
    storeId: summary.storeId,
    sequence: summary.sequence,
    digest: summary.digest,
    transferCount: summary.transfers,
    chains: summary.chains,
    assets: summary.assets,
    highest(chain: ChainId) {
      const found = summary.highest.find(([name]) => name === chain)
      return found && { block: found[1], hash: found[2] }
    },
  }
}

/** What a part of the ledger answers as the whole does, of the transfers that it has. */
function plainQuestions(graph: Graph) {
  return {
    transactionCount: graph.transactionCount,
    addressCount: graph.addressCount,
    bytes: graph.bytes,
    account: (address: number) => graph.account(address),
    asset: (asset: AssetId) => graph.asset(asset),
    addressOf: (holding: number) => graph.addressOf(holding),
    assetOf: (holding: number) => graph.assetOf(holding),
    from: (transfer: number) => graph.from(transfer),
    to: (transfer: number) => graph.to(transfer),
    amount: (transfer: number) => graph.amount(transfer),
    kind: (transfer: number) => graph.kind(transfer),
    transactionOf: (transfer: number) => graph.transactionOf(transfer),
    legs: (transaction: number) => graph.legs(transaction),
    blockOf: (transaction: number) => graph.blockOf(transaction),
    block: (ordinal: number) => graph.block(ordinal),
    transfer: (transfer: number) => graph.transfer(transfer),
    idOf: (transfer: number) => graph.idOf(transfer),
    firstAt: (time: number) => graph.firstAt(time),
    // The rows of a part have no place in the log.
    sequenceOf: () => -1,
  }
}

interface Moments {
  events(holding: number): void
  balance(holding: number): void
  all(): Iterable<{ readonly holding: number; readonly followed: boolean }>
}

/**
 * Each time money passes through an account that holds nothing followed, it is asked once for its balance and once for
 * where that is among its events. Who asks for the events more often than for the balance looks for its payments.
 */
function createMoments(): Moments {
  /** Questions for events less those for balances, now and at most. */
  const surplus = new Map<number, { now: number; most: number }>()
  const note = (holding: number, change: number): void => {
    const known = surplus.get(holding) ?? { now: 0, most: 0 }
    known.now += change
    known.most = Math.max(known.most, known.now)
    surplus.set(holding, known)
  }
  return {
    events: (holding) => note(holding, 1),
    balance: (holding) => note(holding, -1),
    *all() {
      for (const [holding, { now, most }] of surplus)
        yield { holding, followed: now > 0 || most > 1 }
    },
  }
}

function remembered(ask: (number: number) => boolean): (number: number) => boolean {
  const known = new Map<number, boolean>()
  return (number) => {
    const answer = known.get(number) ?? ask(number)
    known.set(number, answer)
    return answer
  }
}
