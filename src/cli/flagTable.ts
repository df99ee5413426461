import type { FollowStep } from '../follow/followLog.ts'
import { harmlessText } from '../ledger/text.ts'
import { type Flag, formatFlagId } from '../store/flags.ts'
import type { WorkItem } from '../store/workQueue.ts'
import { formatTable } from './table.ts'

/** One line on how far the following of a flag is. */
export function followingText(flag: Flag): string {
  return `${formatFlagId(flag)}: ${stateText(flag)}`
}

function stateText({ following, state, error, budget, minShare }: Flag): string {
  if (!following) return error ? `${state}: ${error.message}` : `${state}, not followed yet`
  const { spent, unfinished, over, queued } = following
  const share = `${percent(unfinished)} of the money unfinished`
  const cost = `${number(spent.addresses)} addresses, ${number(spent.calls)} calls, ${number(spent.blocks)} blocks`
  const told = {
    waiting: `what is flagged itself is not read yet${error ? `: ${error.message}` : ''}`,
    following: `${share}, ${queued} addresses in the queue`,
    done: `done, ${share} (at most ${percent(minShare)} may be)`,
    over_budget: `stopped by its budget of ${number(over ? budget[over] : 0)} ${over ?? 'calls'}, ${share}; flag it again with a larger one to go on`,
    parked: `${share}, at addresses that need a decision (\`jejak queue --parked\`)`,
    failed: following.error?.message ?? error?.message ?? 'failed',
  }
  return `${told[following.state]} (${cost})`
}

/** The list of flags. */
export function flagsTable(flags: readonly Flag[]): string {
  const rows = flags.map((flag) => [
    formatFlagId(flag),
    flag.state,
    flag.progress ? `${flag.progress.throughBlock}/${flag.progress.headBlock}` : '',
    flag.following ? flag.following.state : '',
    flag.following ? percent(flag.following.unfinished) : '',
    harmlessText(flag.source),
    harmlessText(flag.error ? `${flag.reason} [${flag.error.message}]` : flag.reason),
  ])
  return formatTable(
    ['flagged', 'state', 'block', 'following', 'unfinished', 'source', 'reason'],
    rows,
    [4],
  )
}

/** The log of one flag. */
export function stepsTable(steps: readonly FollowStep[]): string {
  const rows = steps.map((step) => [
    String(step.number),
    step.subject,
    step.parked ?? step.result,
    `${number(step.cost.calls)} calls, ${number(step.cost.blocks)} blocks, ${number(step.cost.transfers)} transfers`,
    `${percent(step.before)} → ${percent(step.after)}`,
    harmlessText(step.error ? `${step.reason} [${step.error}]` : step.reason),
  ])
  return formatTable(['step', 'read', 'result', 'cost', 'unfinished', 'why'], rows, [0])
}

/** What is in the queue, or was. */
export function workTable(work: readonly WorkItem[]): string {
  const rows = work.map((item) => [
    item.id,
    percent(item.priority),
    item.parked ? `parked: ${item.parked}` : item.state,
    `${number(item.spent.calls)} calls`,
    harmlessText([item.reason, askedText(item), item.error?.message].filter(Boolean).join('; ')),
  ])
  return formatTable(['address', 'share', 'state', 'spent', 'why'], rows, [1])
}

function askedText({ askedFirst: asked, parked }: WorkItem): string | undefined {
  if (!asked || parked !== 'high_degree') return undefined
  const { page } = asked
  return `${number(asked.transactions)} transactions signed, ${number(page.logs)} token transfers with ${number(page.counterparties)} others in blocks ${page.fromBlock}–${page.toBlock}${asked.hasCode ? ', a contract' : ''}`
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`
}

function number(value: number): string {
  return value.toLocaleString('en')
}
