/** One chronological pass of design 8.2 over the steps of a ledger, forward or reversed. */
import type { Account } from '../../src/ledger/account.ts'
import { type Accounts, createAccounts } from './accounts.ts'
import { createEndings, type Endings } from './endings.ts'
import { createFollowing, type Following } from './following.ts'
import { converted, faceOf, hasLot, type Parcel, type Rounding } from './parcels.ts'
import type { OracleQuestion } from './question.ts'
import { accountOf, type Step, type Steps } from './steps.ts'

export interface OracleAnswer {
  /** `outcome account asset seed hop` to face. */
  readonly outcomes: ReadonlyMap<string, bigint>
  /** The same keys to what the lots were there, in base units of the asset. */
  readonly units: ReadonlyMap<string, bigint>
  /** Transfer id to the face of the lots it carried. */
  readonly carried: ReadonlyMap<string, bigint>
  /** `<transfer id> <missing amount>` of outflows beyond the balance that carried a lot. */
  readonly gaps: readonly string[]
  /** `tx payer gives receiver gets`, as it happened, to the face that went through. */
  readonly conversions: ReadonlyMap<string, bigint>
  readonly seedTotal: bigint
}

export interface PassInput {
  readonly question: OracleQuestion
  readonly transactions: readonly Steps[]
  /** Transfer ids in ledger order. */
  readonly seeds: readonly string[]
  readonly seedTotal: bigint
  readonly halvings: bigint
  readonly opening: (account: Account, asset: string) => bigint
  /** Leaving leg to arriving leg in the order of the steps, each used once. */
  readonly bridges: ReadonlyMap<string, Step>
  readonly rounding: Rounding
  /** Judges what depends on amounts: the pass itself, or what another pass of the same steps found. */
  readonly decide: (judge: () => boolean) => boolean
}

/** What the steps played so far have led to. */
interface State extends PassInput {
  readonly backward: boolean
  readonly accounts: Accounts
  readonly endings: Endings
  readonly following: Following
  readonly carried: Map<string, bigint>
  readonly gaps: string[]
  readonly conversions: Map<string, bigint>
  /** Arriving leg of a bridge to what left for it. */
  readonly crossings: Map<string, { readonly left: Step; readonly parts: readonly Parcel[] }>
}

export function onePass(input: PassInput): OracleAnswer {
  const state = begin(input)
  for (const transaction of input.transactions) {
    for (const step of transaction) play(state, step)
    state.accounts.settle()
  }
  rest(state)
  const { faces, units } = state.endings
  const { carried, gaps, conversions, seedTotal } = state
  return { outcomes: faces, units, carried, gaps, conversions, seedTotal }
}

/** Ends at which nobody receives. */
const nobody: ReadonlySet<string> = new Set(['burned', 'fees', 'issued'])

function begin(input: PassInput): State {
  const { question, seeds } = input
  const receivers = input.transactions
    .flat()
    .filter(({ id, sort }) => sort === 'transfer' && seeds.includes(id))
    // An issue has no receiver when time is reversed: whose money it was is followed only by what reaches him.
    .flatMap(({ to }) => ('ends' in to && nobody.has(to.ends) ? [] : accountOf(to)))
  return {
    ...input,
    backward: question.direction === 'backward',
    accounts: createAccounts({
      ...input,
      method: question.method ?? 'fifo',
      matched: question.matched,
    }),
    endings: createEndings(),
    following: createFollowing({
      ...input,
      always: receivers,
      minShare: question.minShare,
      maxIdle: question.maxIdle,
    }),
    carried: new Map(),
    gaps: [],
    conversions: new Map(),
    crossings: new Map(),
  }
}

function play(state: State, step: Step): void {
  if (step.sort === 'transfer') transfer(state, step)
  else if (step.sort === 'exchange') exchange(state, step)
  else arrive(state, step, paid(state, step))
}

function transfer(state: State, step: Step): void {
  const seed = state.seeds.indexOf(step.id)
  const parts =
    seed < 0 ? crossed(state, step, paid(state, step)).map(oneHopOn) : labelled(state, step, seed)
  const face = faceOf(parts)
  if (face > 0n) state.carried.set(step.id, face)
  const arriving = state.bridges.get(step.id)
  if (arriving && hasLot(parts)) state.crossings.set(arriving.id, { left: step, parts })
  else arrive(state, step, parts)
}

/** "Each a single lot of the transfer's full amount", whatever paid for it. */
function labelled(state: State, step: Step, seed: number): readonly Parcel[] {
  crossed(state, step, paid(state, step))
  return [{ units: step.got, lot: { seed, hop: 0, face: step.got } }]
}

function oneHopOn(part: Parcel): Parcel {
  return part.lot ? { ...part, lot: { ...part.lot, hop: part.lot.hop + 1 } } : part
}

/** What an account pays, or clean money where there is none, after all that ends when spent. */
function paid(state: State, step: Step): readonly Parcel[] {
  if (!('holds' in step.from)) return [{ units: step.given }]
  const { parts, missing } = state.accounts.pay(step.from.holds, step.gives, step.given)
  if (state.backward && missing > 0n)
    throw new Error(`${step.id} lacks ${missing} when time is reversed`)
  const beyond = step.sort === 'gap' ? step.given : missing
  if (beyond > 0n && hasLot(parts)) state.gaps.push(`${step.id} ${beyond}`)
  return spent(state, step, { account: step.from.holds, parts })
}

/** "Of several reasons the first counts: reseeded, hop_limit, idle, dust when spent." */
function spent(
  { question, following, endings, seeds }: State,
  step: Step,
  from: { readonly account: Account; readonly parts: readonly Parcel[] },
): readonly Parcel[] {
  const { account, parts } = from
  const at = { account, asset: step.gives }
  if (step.sort === 'gap') {
    const dust = !following.isFollowed(account)
    const seen = question.covered(account)
    return endings.endWhere(parts, at, () => (dust ? 'dust' : seen ? undefined : 'not_ingested'))
  }
  const isTransfer = step.sort === 'transfer'
  // What an address converts, or nobody can tell, does not leave it.
  const leaves = isTransfer || (step.sort === 'exchange' && accountOf(step.to) !== account)
  if (!leaves) return parts
  const idle = following.isIdle(account, step.gives, step.time)
  const dust = !following.isFollowed(account)
  return endings.endWhere(parts, at, ({ hop }) => {
    if (isTransfer && seeds.includes(step.id)) return 'reseeded'
    if (isTransfer && hop >= question.maxHops) return 'hop_limit'
    return idle ? 'idle' : dust ? 'dust' : undefined
  })
}

/** The parts of a transfer: where it is the arriving leg of a bridge, of what left, with the floors of a conversion. */
function crossed(state: State, step: Step, parts: readonly Parcel[]): readonly Parcel[] {
  const { endings, seeds, question } = state
  const crossing = state.crossings.get(step.id)
  if (!crossing) return parts
  // The units are the bridge's: lots that the sender would have paid with cannot be in them too.
  endings.end('ambiguous', { account: accountOf(step.from), asset: step.gives }, parts)
  const at = { account: accountOf(crossing.left.to), asset: crossing.left.gets }
  const goOn = endings.endWhere(crossing.parts, at, ({ hop }) => {
    if (seeds.includes(step.id)) return 'reseeded'
    return hop >= question.maxHops ? 'hop_limit' : undefined
  })
  const { parcels, vanished } = converted(goOn, crossing.left.got, step.got, state.rounding)
  endings.end('ambiguous', at, vanished)
  return parcels
}

function exchange(state: State, step: Step): void {
  const [payer, receiver] = [accountOf(step.from), accountOf(step.to)]
  const parts = paid(state, step)
  const { parcels, vanished } = converted(parts, step.given, step.got, state.rounding)
  state.endings.end('ambiguous', { account: payer, asset: step.gives }, vanished)
  const face = faceOf(parcels)
  const key = state.backward
    ? `${step.tx} ${receiver} ${step.gets} ${payer} ${step.gives}`
    : `${step.tx} ${payer} ${step.gives} ${receiver} ${step.gets}`
  if (face > 0n) state.conversions.set(key, (state.conversions.get(key) ?? 0n) + face)
  arrive(state, step, parcels)
}

function arrive(
  { accounts, endings, following }: State,
  step: Step,
  parts: readonly Parcel[],
): void {
  if (!('holds' in step.to)) {
    endings.end(step.to.ends, { account: step.to.account, asset: step.gets }, parts)
    return
  }
  const account = step.to.holds
  following.note(account, step.gets, step.time, parts)
  const within = step.sort !== 'transfer' && accountOf(step.from) === account
  if (!within) following.reach(account, parts)
  accounts.receive(account, step.gets, parts)
}

/** "dust, not_ingested, frozen, still_held when resting"; backward, what rests there was there before all rows. */
function rest({ accounts, endings, following, question, backward }: State): void {
  for (const { account, asset, parcels } of accounts.held()) {
    const held = backward
      ? 'opening_balance'
      : question.frozen?.(account, asset)
        ? 'frozen'
        : 'still_held'
    const outcome = !following.isFollowed(account)
      ? 'dust'
      : question.covered(account)
        ? held
        : 'not_ingested'
    endings.end(outcome, { account, asset }, parcels)
  }
}
