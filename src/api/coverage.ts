import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { type Account, accountChain, formatAccount } from '../ledger/account.ts'
import { formatAsset } from '../ledger/asset.ts'
import { isEvm } from '../ledger/chain.ts'
import { bestIntervals, gapsIn } from '../ledger/coverage.ts'
import { compareText } from '../ledger/order.ts'
import { kinds } from '../ledger/transfer.ts'
import { listDisputes, readingsOf, reliableCoverage } from '../store/proofs.ts'
import type { Store } from '../store/store.ts'
import type { Knowledge } from './knowledge.ts'
import { createRouter } from './router.ts'
import { AccountText, json, problems } from './schemas.ts'

const Kind = z.enum(kinds)
const Assurance = z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]).openapi({
  description:
    '3: proven against block hashes that two endpoints or the operator give; 2: two endpoints agree; 1: one node; 0: a file or explorer, or disputed',
})

const Interval = { fromBlock: z.int(), toBlock: z.int() }

const CoverageAnswer = z
  .object({
    account: z.string(),
    intervals: z
      .array(
        z.object({
          kind: Kind,
          ...Interval,
          assurance: Assurance,
          sources: z.array(z.string()),
          disputed: z.boolean(),
        }),
      )
      .openapi({ description: 'Every transfer of the kind in these blocks is stored' }),
    gaps: z
      .array(z.object({ kind: Kind, fromBlock: z.int(), toBlock: z.int().nullable() }))
      .openapi({
        description: 'Blocks that were not read: a gap, not a zero. toBlock null: from there on',
      }),
    disputes: z.array(
      z.object({
        what: z.enum(['balance', 'disagreement', 'refuted']),
        kinds: z.array(Kind),
        ...Interval,
        asset: z.string().nullable(),
        amount: z.string().nullable().openapi({
          description: "The chain's change of the balance less the stored one, base units",
        }),
        text: z.string(),
        endpoints: z.array(z.string()),
        at: z.string(),
      }),
    ),
    readings: z.array(
      z.object({
        source: z.string(),
        kinds: z.array(Kind),
        ...Interval,
        assurance: Assurance,
        endpoints: z.array(z.string()),
        anchor: z.object({ block: z.int(), hash: z.string(), by: z.array(z.string()) }).nullable(),
        at: z.string(),
      }),
    ),
  })
  .openapi('Coverage')

export type CoverageAnswer = z.output<typeof CoverageAnswer>

const getCoverage = createRoute({
  method: 'get',
  path: '/v1/accounts/{account}/coverage',
  operationId: 'getCoverage',
  summary:
    'For which blocks and kinds the store is complete for an account, and how well that is proven',
  request: { params: z.strictObject({ account: AccountText }), query: z.strictObject({}) },
  responses: {
    200: json(CoverageAnswer, 'Intervals, gaps, contradictions, and who read what when'),
    ...problems,
  },
})

export function coverageRoutes(knowledge: Knowledge): OpenAPIHono {
  const routes = createRouter()
  routes.openapi(getCoverage, async (c) =>
    c.json(await coverageAnswer(knowledge.store, c.req.valid('param').account), 200),
  )
  return routes
}

/** What is covered of an account, what is not, what contradicts it, and who read it when. */
export async function coverageAnswer(store: Store, account: Account): Promise<CoverageAnswer> {
  const disputes = await listDisputes(store, account)
  const claims = await reliableCoverage(store, account)
  const intervals = kinds.flatMap((kind) =>
    bestIntervals(claims.filter((claim) => claim.kind === kind)).map((interval) => ({
      kind,
      fromBlock: interval.from,
      toBlock: interval.to,
      assurance: interval.assurance,
      sources: [...interval.sources],
      disputed: disputes.some(
        (known) =>
          known.kinds.includes(kind) &&
          known.fromBlock <= interval.to &&
          known.toBlock >= interval.from,
      ),
    })),
  )
  return {
    account: formatAccount(account),
    intervals,
    gaps: gapsOf(account, intervals),
    disputes: disputes.map(({ account: _, asset, ...known }) => ({
      ...known,
      kinds: [...known.kinds],
      endpoints: [...known.endpoints],
      asset: asset === null ? null : formatAsset(asset),
    })),
    readings: (await readingsOf(store, account))
      .sort((a, b) => compareText(a.at, b.at))
      .map(({ account: _, anchor, ...reading }) => ({
        ...reading,
        kinds: [...reading.kinds],
        endpoints: [...reading.endpoints],
        anchor: anchor ? { ...anchor, by: [...anchor.by] } : null,
      })),
  }
}

/** From the first block on, kind by kind; opaque ledgers have native and token transfers alone. */
function gapsOf(account: Account, intervals: CoverageAnswer['intervals']): CoverageAnswer['gaps'] {
  const possible = isEvm(accountChain(account)) ? kinds : (['native', 'token'] as const)
  return possible.flatMap((kind) => {
    const known = intervals
      .filter((interval) => interval.kind === kind)
      .map(({ fromBlock: from, toBlock: to }) => ({ from, to }))
    const last = Math.max(-1, ...known.map(({ to }) => to))
    const between = last < 0 ? [] : gapsIn({ from: 0, to: last }, known)
    return [
      ...between.map(({ from, to }) => ({ kind, fromBlock: from, toBlock: to })),
      { kind, fromBlock: last + 1, toBlock: null },
    ]
  })
}
