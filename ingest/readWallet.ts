import type { Account } from '../src/ledger/account.ts'
import { formatAsset } from '../src/ledger/asset.ts'
import { gapsIn } from '../src/ledger/coverage.ts'
import { KnownError } from '../src/ledger/errors.ts'
import type { Kind } from '../src/ledger/transfer.ts'
import { noteReading } from '../src/store/proofs.ts'
import { changeWork, type Spent, type WorkItem } from '../src/store/workQueue.ts'
import { checkView } from './chainView.ts'
import { rememberPayments } from './payments.ts'
import { type BalanceWatch, watchBalances } from './proof/balances.ts'
import { createReadAhead, type Reading } from './readAhead.ts'
import { nameOf, note, type Turn, type Work } from './work.ts'

const usualWorthAsking = 50_000

type WalletItem = WorkItem & { readonly account: Account }

/**
 * Reads what is not covered yet of a wallet's history, and stores it piece by piece.
 *
 * A history is read from the first block, also where the money arrived late: which money pays for what (design 8.1)
 * depends on what was there before. Where the state of the chain shows that nothing was, that stretch is not read for
 * native coins; tokens come to an address without a trace in its state, so their logs always are.
 *
 * @returns whether it was read through; not, where the budget of its flags ended
 * @throws KnownError `rpc.*`, `store.*`, and {@link ChainMoved}
 */
export async function readWallet(work: Work, item: WalletItem, turn: Turn): Promise<boolean> {
  const { store, reader, options } = work
  const { account } = item
  const { view, fence, lease, meter } = turn
  const head = view.head.block
  refuseBehind(item, head)
  await skipUntouched(work, account, turn)
  const started = { at: work.clock.now(), block: -1 }
  const ahead = createReadAhead(reader, account, work.clock)
  const told: Told[] = []
  const balances = watchReading(work, account)
  let transfers = 0
  for (
    let next = await firstGap(work, account, head);
    next !== undefined;
    next = await firstGap(work, account, head)
  ) {
    options.signal.throwIfAborted()
    if (started.block < 0) started.block = next.from
    const { kinds } = next
    const { read, range, by } = await ahead.read(next)
    await checkView(view, reader, range.to)
    const { name: source, assurance } = by
    const claim = { account, fromBlock: range.from, toBlock: range.to, assurance, source }
    const coverage = by.complete
      .filter((kind) => kinds.includes(kind))
      .map((kind) => ({ ...claim, kind }))
    await rememberPayments(work, turn, read.payments)
    if (read.freezes) await work.freezes.note(read.freezes, fence)
    const rows = { transfers: read.transfers, source, assurance, coverage, fence }
    const { added } = await store.append(rows)
    await lease.advanced()
    told.push({ kinds: coverage.map(({ kind }) => kind), range, by })
    // Where only tokens were missing, what else moved is not in the reading.
    if (reader.complete.every((kind) => kinds.includes(kind))) balances?.add(range, read.transfers)
    if (reader.contracts) {
      const asked = { transfers: read.transfers, block: head }
      await work.descriptions.note(reader.contracts, account, asked)
    }
    transfers += added
    const blocks = range.to - range.from + 1
    work.counters.add({ blocks, transfers: added, headBlock: head })
    await work.counters.tell()
    const spent = meter.take({ blocks, transfers: added })
    await showProgress(work, item, { range, transfers, started, spent, turn })
    if (await isOverBudget(work, item, turn)) return false
  }
  await finishReading(work, account, { told, balances })
  return true
}

/** Absent where the source can be asked for no balance. */
function watchReading({ store, node, reader }: Work, account: Account): BalanceWatch | undefined {
  if (!node.current) return undefined
  const checksCoin = reader.complete.includes('internal')
  return watchBalances({ store, account, node: node.current, checksCoin })
}

/** A piece that was read and stored. */
interface Told extends Pick<Reading, 'range' | 'by'> {
  readonly kinds: readonly Kind[]
}

/** Says who read what when, and whether it adds up to the balance at both ends. */
async function finishReading(
  { store, options, clock }: Work,
  account: Account,
  {
    told,
    balances,
  }: { readonly told: readonly Told[]; readonly balances: BalanceWatch | undefined },
): Promise<void> {
  const at = new Date(clock.now()).toISOString()
  for (const { fromBlock, toBlock, kinds, by } of joined(told)) {
    const { name: source, assurance } = by
    const claim = { account, kinds, fromBlock, toBlock, assurance, source }
    await noteReading(store, { ...claim, endpoints: [source], at })
  }
  for (const { asset, fromBlock, toBlock, difference } of (await balances?.close()) ?? []) {
    if (difference === null || difference === 0n) continue
    options.tell({
      event: 'finding',
      account: nameOf({ account, id: account }),
      message: `in blocks ${fromBlock}-${toBlock} ${difference} of ${formatAsset(asset)} is not explained by what the node told`,
    })
  }
}

/** Pieces that follow one another, of the same kinds by the same source, as one. */
function joined(
  told: readonly Told[],
): (Pick<Told, 'kinds' | 'by'> & { readonly fromBlock: number; readonly toBlock: number })[] {
  const whole: ReturnType<typeof joined> = []
  for (const { kinds, range, by } of told) {
    const last = whole.at(-1)
    const follows =
      last?.toBlock === range.from - 1 &&
      last.by.name === by.name &&
      String(last.kinds) === String(kinds)
    if (follows) whole[whole.length - 1] = { ...last, toBlock: range.to }
    else whole.push({ kinds, by, fromBlock: range.from, toBlock: range.to })
  }
  return whole
}

/** Read through an older block than the others, a wallet would be wanted again at once. */
function refuseBehind({ through }: WorkItem, head: number): void {
  if (through === null || head >= through) return
  throw new KnownError(
    'rpc.unavailable',
    `the node is at block ${head}, and ${through} is wanted`,
    {
      facts: { head, through },
      hint: 'It is behind: try again later, or use another endpoint.',
      retryable: true,
    },
  )
}

/** What a flag may cost is checked between two ranges; what was read stays, and is not read again. */
async function isOverBudget(work: Work, item: WorkItem, { fence }: Turn): Promise<boolean> {
  let over = false
  const change = (known: WorkItem | undefined): WorkItem | undefined => {
    if (!known?.limits) return known
    const { limits, spent } = known
    over = spent.calls > limits.calls || spent.blocks > limits.blocks
    return over
      ? { ...known, state: 'parked', parked: 'budget', finished: known.finished + 1 }
      : known
  }
  const known = await changeWork(work.store, item.id, change, fence)
  if (!over || !known) return false
  work.options.tell({
    event: 'parked',
    account: nameOf(item),
    why: 'budget',
    message: `${known.spent.calls} calls for ${known.spent.blocks} blocks are more than the budget of its flags allows`,
  })
  return true
}

/** Kinds that an untouched address cannot have: tokens come to it without its doing. */
const nativeKinds: ReadonlySet<Kind> = new Set(['native', 'internal', 'fee'])

/** A wallet that is younger than the chain: what the state shows of the time before needs no reading. */
async function skipUntouched(work: Work, account: Account, { view, fence }: Turn): Promise<void> {
  const { store, reader, options } = work
  const head = view.head.block
  const first = await firstGap(work, account, head)
  const worth = options.worthAsking ?? usualWorthAsking
  if (!reader.untouchedThrough || first?.from !== 0 || first.to < worth) return
  const toBlock = (await reader.untouchedThrough(account, head)) ?? -1
  if (toBlock < 0) return
  await checkView(view, reader, toBlock)
  const kinds = reader.complete.filter((kind) => nativeKinds.has(kind))
  const { name: source, assurance } = reader
  const claim = { account, fromBlock: 0, toBlock, assurance, source }
  const coverage = kinds.map((kind) => ({ ...claim, kind }))
  await store.append({ transfers: [], source, assurance, coverage, fence })
}

interface Gap {
  readonly from: number
  readonly to: number
  /** All kinds that are not covered there. */
  readonly kinds: readonly Kind[]
}

/** The first blocks that are not covered for every kind this source can tell, as far as the same kinds are missing. */
async function firstGap(work: Work, account: Account, head: number): Promise<Gap | undefined> {
  const { reader } = work
  const claims = await work.store.coverage(new Set([account]))
  const gaps = reader.complete.flatMap((kind) => {
    const known = claims.filter(
      (claim) => claim.kind === kind && claim.assurance >= reader.assurance,
    )
    const missing = gapsIn(
      { from: 0, to: head },
      known.map(({ fromBlock: from, toBlock: to }) => ({ from, to })),
    )
    return missing.map((gap) => ({ ...gap, kind }))
  })
  if (gaps.length === 0) return undefined
  const from = Math.min(...gaps.map((gap) => gap.from))
  const here = gaps.filter((gap) => gap.from === from)
  const later = gaps.filter((gap) => gap.from > from).map((gap) => gap.from - 1)
  return {
    from,
    to: Math.min(...here.map((gap) => gap.to), ...later),
    kinds: here.map(({ kind }) => kind),
  }
}

async function showProgress(
  work: Work,
  item: WorkItem,
  state: {
    readonly range: { readonly from: number; readonly to: number }
    readonly transfers: number
    readonly started: { readonly at: number; readonly block: number }
    readonly spent: (spent: Spent) => Spent
    readonly turn: Turn
  },
): Promise<void> {
  const { range, transfers, started, spent, turn } = state
  const head = turn.view.head.block
  const seconds = (work.clock.now() - started.at) / 1000
  const blocksPerSecond = Math.round((range.to - started.block + 1) / Math.max(seconds, 0.001))
  const progress = {
    fromBlock: started.block,
    throughBlock: range.to,
    headBlock: head,
    transfers,
    blocksPerSecond,
    remainingSeconds: blocksPerSecond > 0 ? Math.ceil((head - range.to) / blocksPerSecond) : null,
  }
  await note(work, item, {
    fence: turn.fence,
    change: (known) => ({ ...known, state: 'working', spent: spent(known.spent) }),
    flag: () => ({ state: 'working', progress }),
  })
  work.options.tell({
    event: 'range',
    account: nameOf(item),
    fromBlock: range.from,
    toBlock: range.to,
    headBlock: head,
    transfers,
  })
}
