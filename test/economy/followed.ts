import { runWorker, type WorkerEvent } from '../../ingest/worker.ts'
import { flagTraceRequest } from '../../src/api/flagTrace.ts'
import { openKnowledge } from '../../src/api/knowledge.ts'
import { runTrace } from '../../src/api/runTrace.ts'
import type { NamedTrace } from '../../src/api/traceId.ts'
import { importTags } from '../../src/attribution/importTags.ts'
import { importTokens } from '../../src/attribution/importTokens.ts'
import { type FollowStep, readSteps } from '../../src/follow/followLog.ts'
import { keepPlanning } from '../../src/follow/keepPlanning.ts'
import { createPlanner } from '../../src/follow/plan.ts'
import { type Flag, type GivenFlag, putFlag, readFlag } from '../../src/store/flags.ts'
import type { Economy } from './economy.ts'

export interface Followed {
  readonly flag: Flag
  readonly answer: NamedTrace
  readonly steps: readonly FollowStep[]
  readonly events: readonly WorkerEvent[]
}

/** Flags something on a chain and lets a planner and workers do the rest, as `jejak ingest` does. */
export async function followed(
  location: string,
  economy: Pick<Economy, 'anvil' | 'tags' | 'tokens'>,
  given: GivenFlag,
  workers = 1,
): Promise<Followed> {
  const knowledge = await openKnowledge(location)
  const { store } = knowledge
  const stop = new AbortController()
  try {
    await importTags(store, [economy.tags], { sourceRank: 0 })
    await importTokens(store, [economy.tokens])
    const { id } = await putFlag(store, given, new Date(0))
    const planner = createPlanner(knowledge)
    const { promise: begun, resolve: began } = Promise.withResolvers<void>()
    const planning = keepPlanning(store, {
      round: () => planner.round(new Date(0)),
      signal: stop.signal,
      began,
      failed: (error) => {
        throw error
      },
    })
    await begun
    const events: WorkerEvent[] = []
    const work = (): Promise<void> =>
      runWorker({
        store: location,
        rpc: economy.anvil.url,
        once: true,
        signal: stop.signal,
        tries: 2,
        tell: (event) => events.push(event),
      })
    await Promise.race([Promise.all(Array.from({ length: workers }, work)), planning])
    stop.abort()
    await planning
    const flag = (await readFlag(store, id)) as Flag
    const answer = await runTrace(knowledge, await flagTraceRequest(store, flag, undefined))
    const steps = await readSteps(store, id, { after: 0, limit: 2_000 })
    return { flag, answer, steps, events }
  } finally {
    stop.abort()
    await knowledge.close()
  }
}
