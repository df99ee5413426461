import { createHash } from 'node:crypto'
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { streamSSE } from 'hono/streaming'
import { type Flag, flagNotFound, readFlag } from '../store/flags.ts'
import type { Store } from '../store/store.ts'
import { plannerState } from '../store/workQueue.ts'
import { FlagId, viewOf } from './flags.ts'
import type { Knowledge } from './knowledge.ts'
import { createRouter } from './router.ts'
import { problems } from './schemas.ts'

const getEvents = createRoute({
  method: 'get',
  path: '/v1/flags/{id}/events',
  operationId: 'flagEvents',
  summary: 'The flag whenever it changes, as server-sent events, with a last event `done`',
  description:
    'Events `progress` carry the flag, the first at once. The last event is `done`, when nothing more is ' +
    'read for it: the flag, `count` of the events before it, and `records`, the SHA-256 of their data, each followed by a ' +
    'newline. A stream without it is cut: at the latest after a quarter of an hour, then ask again.',
  request: { params: FlagId, query: z.strictObject({}) },
  responses: {
    200: { description: 'Events', content: { 'text/event-stream': { schema: z.string() } } },
    ...problems,
  },
})

/** Workers are processes of their own and write to the store: there it is looked for changes. */
const lookMs = 400
const aliveMs = 15_000
const longestMs = 900_000

export function flagEventRoutes({ store }: Knowledge): OpenAPIHono {
  const routes = createRouter()
  routes.openapi(getEvents, async (c) => {
    const { id } = c.req.valid('param')
    const first = await readFlag(store, id)
    if (!first) throw flagNotFound(id)
    return streamSSE(c, async (stream) => {
      const records = createHash('sha256')
      const until = performance.now() + longestMs
      let count = 0
      let flag: Flag | undefined = first
      while (flag && !stream.aborted && !(await hasEnded(store, flag))) {
        const data = JSON.stringify(viewOf(flag))
        records.update(`${data}\n`)
        count++
        await stream.writeSSE({ event: 'progress', data })
        flag = await changed(store, flag, {
          until,
          isGone: () => stream.aborted,
          alive: () => stream.write(': alive\n\n').then(() => undefined),
        })
      }
      if (!flag || stream.aborted) return
      const data = JSON.stringify({ ...viewOf(flag), count, records: records.digest('hex') })
      await stream.writeSSE({ event: 'done', data })
    }) as never
  })
  return routes
}

interface Patience {
  /** By `performance.now()`. */
  readonly until: number
  readonly isGone: () => boolean
  readonly alive: () => Promise<void>
}

/** The flag once it is another; undefined when that takes too long, or nobody listens any more. */
async function changed(store: Store, seen: Flag, patience: Patience): Promise<Flag | undefined> {
  const before = JSON.stringify(seen)
  let saidAt = performance.now()
  while (performance.now() < patience.until && !patience.isGone()) {
    await new Promise((resolve) => setTimeout(resolve, lookMs))
    const flag = await readFlag(store, seen.id)
    if (flag && JSON.stringify(flag) !== before) return flag
    if (performance.now() - saidAt < aliveMs) continue
    saidAt = performance.now()
    await patience.alive()
  }
  return undefined
}

/** Nothing more is read for it: what is flagged is read or failed, and nobody follows the money further now. */
async function hasEnded(store: Store, { state, following }: Flag): Promise<boolean> {
  if (state !== 'done') return state === 'failed'
  // A planner is there and has only not come to it yet.
  if (following === null) return (await plannerState(store)) === 'none'
  return following.state !== 'waiting' && following.state !== 'following'
}
