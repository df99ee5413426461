import { createCoverageView } from '../analysis/coverageView.ts'
import { type TraceContext, trace } from '../analysis/trace.ts'
import type { TraceAnswer, TraceOutcome, TraceQuery } from '../analysis/traceAnswer.ts'
import type { Graph } from '../graph/graph.ts'
import { type Account, parseAccount } from '../ledger/account.ts'
import { type AssetId, parseAsset } from '../ledger/asset.ts'
import { compareText } from '../ledger/order.ts'

/** Why an address should be read. */
export type Why =
  /** Money rests there, and nobody knows what left it since. */
  | 'rests'
  /** Money went through, but which of its money it was rests on a history that nobody read. */
  | 'passed'
  /** The trace ends there for a reason that its history may remove. */
  | 'ended'
  /** Money would rest there if the trace went on behind an end that is not certain. */
  | 'behind'

/** An address whose history would tell more about a seed. */
export interface Candidate {
  readonly account: Account
  /** Share of the seed that depends on it, 0 to 1, as a float: for ranking only. */
  readonly share: number
  readonly why: Why
}

/** What one trace leaves open. */
export interface Unfinished {
  readonly seedTotal: bigint
  /** Share that rests where nobody read on, also behind uncertain ends. */
  readonly share: number
  /** Largest share first; each account once. */
  readonly candidates: readonly Candidate[]
}

/** Ends of which more of the ledger may show that they are none, as far as nobody named them. */
const uncertain = new Set(['high_degree', 'contract_custody'])

/** As many choices of an ambiguous conversion are tried. */
const mostChoices = 4

/** Transactions of one account that are looked through for the one in which it exchanged. */
const mostExchanges = 1_000

/**
 * What a trace leaves open, from its own answer, and where it ends at something uncertain, from what it would be behind
 * that: every candidate of an ambiguous conversion, and addresses that are read whole and still look like a service.
 *
 * Cost: one trace, and up to four more where such ends hold money.
 *
 * @param isRead - true for accounts that are read through the as-of block already.
 */
export function findUnfinished(
  graph: Graph,
  context: TraceContext,
  query: TraceQuery,
  isRead: (account: Account) => boolean,
): { readonly answer: TraceAnswer; readonly unfinished: Unfinished } {
  const answer = trace(graph, context, query)
  const seedTotal = BigInt(answer.seedTotal)
  const rests = facesOf(answer.outcomes.filter(({ outcome }) => outcome === 'not_ingested'))
  const ends = answer.outcomes.filter(isUncertainEnd)
  const ended = facesOf(ends.filter(({ account }) => !isRead(parseAccount(account))))
  const behind = new Map<Account, bigint>()
  for (const other of whatIfs(graph, query, { ends, outcomes: answer.outcomes, isRead })) {
    const further = trace(graph, context, other)
    const open = further.outcomes.filter(({ outcome }) => outcome === 'not_ingested')
    for (const [account, face] of facesOf(open)) {
      const more = face - (rests.get(account) ?? 0n)
      if (more > (behind.get(account) ?? 0n)) behind.set(account, more)
    }
  }
  const passed = passedThrough(answer, context, isRead)
  const share = (faces: Iterable<bigint>): number => shareOf(sum(faces), seedTotal)
  const named = (faces: ReadonlyMap<Account, bigint>, why: Why): Candidate[] =>
    [...faces].map(([account, face]) => ({ account, share: shareOf(face, seedTotal), why }))
  return {
    answer,
    unfinished: {
      seedTotal,
      share: Math.min(1, share(rests.values()) + share(behind.values())),
      candidates: bestOfEach([
        ...named(rests, 'rests'),
        ...named(passed, 'passed'),
        ...named(ended, 'ended'),
        ...named(behind, 'behind'),
      ]),
    },
  }
}

function isUncertainEnd({ outcome, category }: TraceOutcome): boolean {
  return uncertain.has(outcome) && category === undefined
}

function facesOf(outcomes: readonly TraceOutcome[]): Map<Account, bigint> {
  const faces = new Map<Account, bigint>()
  for (const { account: text, face } of outcomes) {
    if (text === '') continue
    const account = parseAccount(text)
    faces.set(account, (faces.get(account) ?? 0n) + BigInt(face))
  }
  return faces
}

/**
 * Addresses that passed money on in rows that other wallets brought, while their own history is not read: older money
 * of theirs may have paid instead.
 */
function passedThrough(
  answer: TraceAnswer,
  context: TraceContext,
  isRead: (account: Account) => boolean,
): Map<Account, bigint> {
  const coverage = createCoverageView(context.coverage)
  const arrived = new Map<string, number>()
  const through = new Map<Account, bigint>()
  const senders = new Set(answer.seeds.map(({ transfer }) => transfer as string))
  for (const { from, to, asset, face, block, transfer } of answer.movements) {
    const account = from === null || senders.has(transfer) ? undefined : parseAccount(from)
    if (account && !isRead(account)) {
      const since = arrived.get(`${from} ${asset}`) ?? block
      const known = coverage.through(account, parseAsset(asset) as AssetId, {
        fromBlock: since,
        side: 'out',
      })
      if ((known?.block ?? -1) < block)
        through.set(account, (through.get(account) ?? 0n) + BigInt(face))
    }
    const place = `${to} ${asset}`
    if (to !== null && !arrived.has(place)) arrived.set(place, block)
  }
  return through
}

/** The same question with each choice where the answer could not choose. None where nothing is uncertain. */
function whatIfs(
  graph: Graph,
  query: TraceQuery,
  given: {
    readonly ends: readonly TraceOutcome[]
    readonly outcomes: readonly TraceOutcome[]
    readonly isRead: (account: Account) => boolean
  },
): TraceQuery[] {
  const onward = [...new Set(given.ends.map(({ account }) => parseAccount(account)))].filter(
    given.isRead,
  )
  const ambiguous = given.outcomes.filter(
    ({ outcome, candidates = [] }) => outcome === 'ambiguous' && candidates.length > 0,
  )
  const choices = Math.min(
    mostChoices,
    Math.max(0, ...ambiguous.map(({ candidates = [] }) => candidates.length)),
  )
  if (choices === 0 && onward.length === 0) return []
  const continueThrough = [...new Set([...query.continueThrough, ...onward])].sort(compareText)
  return Array.from({ length: Math.max(1, choices) }, (_, choice) => ({
    ...query,
    continueThrough,
    resolve: [
      ...query.resolve,
      ...ambiguous.flatMap((outcome) => resolutionsOf(graph, outcome, choice)),
    ],
  }))
}

/** One candidate for every transaction in which the account gave that asset; where it is none, it does not count. */
function resolutionsOf(
  graph: Graph,
  { account: text, asset, candidates = [] }: TraceOutcome,
  choice: number,
): TraceQuery['resolve'] {
  const chosen = candidates[Math.min(choice, candidates.length - 1)]
  if (chosen === undefined) return []
  const account = parseAccount(text)
  const holding = graph.holding(graph.address(account), graph.asset(parseAsset(asset)))
  if (holding < 0) return []
  const given = [...graph.events(holding)].filter((event) => graph.from(event) === holding)
  const transactions = new Set(given.slice(-mostExchanges).map((event) => graph.transfer(event).tx))
  return [...transactions].map((tx) => ({ tx, account, asset: parseAsset(chosen) }))
}

function bestOfEach(all: readonly Candidate[]): Candidate[] {
  const best = new Map<Account, Candidate>()
  for (const candidate of all) {
    const known = best.get(candidate.account)
    if (!known || candidate.share > known.share) best.set(candidate.account, candidate)
  }
  return [...best.values()].sort((a, b) => b.share - a.share || compareText(a.account, b.account))
}

function sum(faces: Iterable<bigint>): bigint {
  let total = 0n
  for (const face of faces) total += face
  return total
}

const scale = 1_000_000_000n

/** For ranking: money that went in circles may pass an address more than once. */
function shareOf(face: bigint, total: bigint): number {
  if (total === 0n) return 0
  return Math.min(1, Number((face * scale) / total) / Number(scale))
}
