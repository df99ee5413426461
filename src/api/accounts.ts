import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Graph } from '../graph/graph.ts'
import { type Account, formatAccount } from '../ledger/account.ts'
import { type AssetId, formatAsset } from '../ledger/asset.ts'
import { firstNotBelow } from '../ledger/sortedSearch.ts'
import { type TransferId, transferId } from '../ledger/transfer.ts'
import { accountCard } from './accountCard.ts'
import type { Cursors } from './cursor.ts'
import type { Knowledge } from './knowledge.ts'
import { createRouter } from './router.ts'
import { AccountText, AssetText, BaseUnits, json, Page, problems } from './schemas.ts'

const params = z.strictObject({ account: AccountText })

const Card = z
  .object({
    account: z.string(),
    flagged: z.boolean(),
    known: z.boolean().openapi({
      description: 'False: the store has no transfer of it. Empty is not clean; see coverage.',
    }),
    balances: z.array(
      z.object({
        asset: z.string(),
        balance: BaseUnits,
        received: z.int(),
        sent: z.int(),
        carriesValue: z.enum(['trusted', 'opaque', 'seed']).nullable(),
        claims: z
          .object({
            name: z.string().nullable(),
            symbol: z.string().nullable(),
            decimals: z.int().nullable(),
            block: z.int(),
          })
          .nullable()
          .openapi({
            description:
              'What the contract of a token that no list knows said of itself, at that block. Anybody can call a token USDT.',
          }),
      }),
    ),
    balancesCut: z.boolean(),
    firstSeen: z.number().nullable(),
    lastSeen: z.number().nullable(),
    tags: z.array(
      z.object({
        label: z.string(),
        category: z.string(),
        source: z.string(),
        confidence: z.number(),
      }),
    ),
    coverage: z.array(
      z.object({
        kind: z.string(),
        fromBlock: z.number(),
        toBlock: z.number(),
        assurance: z.number(),
        source: z.string(),
      }),
    ),
  })
  .openapi('AccountCard')

const getCard = createRoute({
  method: 'get',
  path: '/v1/accounts/{account}',
  operationId: 'getAccount',
  summary: 'What the store knows of an account',
  request: { params, query: z.strictObject({}) },
  responses: {
    200: json(Card, 'Balances, degree, first and last transfer, tags, coverage'),
    ...problems,
  },
})

const TransferRow = z
  .object({
    transfer: z.string(),
    chain: z.string(),
    block: z.number(),
    time: z.number(),
    tx: z.string(),
    kind: z.string(),
    asset: z.string(),
    from: z.string().nullable(),
    to: z.string().nullable(),
    amount: BaseUnits,
  })
  .openapi('Transfer')

const getTransfers = createRoute({
  method: 'get',
  path: '/v1/accounts/{account}/transfers',
  operationId: 'listTransfers',
  summary: 'Transfers into and out of an account, in ledger order',
  request: {
    params,
    query: z.strictObject({
      asset: AssetText.optional(),
      direction: z.enum(['in', 'out', 'both']).default('both'),
      ...Page,
    }),
  },
  responses: {
    200: json(
      z.object({
        transfers: z.array(TransferRow),
        next_cursor: z.string().nullable(),
        sequence: z
          .number()
          .openapi({ description: 'Log sequence of the generation that answered' }),
      }),
      'One page',
    ),
    ...problems,
  },
})

export function accountRoutes(knowledge: Knowledge, cursors: Cursors): OpenAPIHono {
  const routes = createRouter()
  routes.openapi(getCard, async (c) => {
    const card = await accountCard(knowledge, c.req.valid('param').account)
    return c.json(
      { ...card, balances: [...card.balances], tags: [...card.tags], coverage: [...card.coverage] },
      200,
    )
  })
  routes.openapi(getTransfers, async (c) => {
    const { account } = c.req.valid('param')
    const { asset, direction, limit, cursor } = c.req.valid('query')
    const question = `transfers ${account} ${asset ?? ''} ${direction}`
    const place = cursor === undefined ? undefined : cursors.read(question, cursor)
    const page = await knowledge.read((graph) => {
      const after = place === undefined ? -1 : placeOf(graph, place)
      const found = transfersAfter(graph, { account, asset, direction, after, limit })
      const last = found.at(-1)
      return {
        transfers: found.map((transfer) => rowOf(graph, transfer)),
        next: found.length === limit && last !== undefined ? cursorPlace(graph, last) : undefined,
        sequence: graph.sequence,
      }
    })
    return c.json(
      {
        transfers: page.transfers,
        next_cursor: page.next === undefined ? null : cursors.write(question, page.next),
        sequence: page.sequence,
      },
      200,
    )
  })
  return routes
}

interface Asked {
  readonly account: Account
  readonly asset: AssetId | undefined
  readonly direction: 'in' | 'out' | 'both'
  readonly after: number
  readonly limit: number
}

/** The next transfers of an account behind a place, merged over its assets. */
function transfersAfter(graph: Graph, asked: Asked): number[] {
  const address = graph.address(asked.account)
  if (address < 0) return []
  const { start, end } = graph.holdingsOf(address)
  const found: number[] = []
  for (let holding = start; holding < end; holding++) {
    if (asked.asset !== undefined && graph.assets[graph.assetOf(holding)] !== asked.asset) continue
    let taken = 0
    const events = graph.events(holding)
    for (
      let i = firstNotBelow(events, asked.after + 1);
      i < events.length && taken < asked.limit;
      i++
    ) {
      const transfer = events[i] as number
      if (asked.direction === 'in' && graph.to(transfer) !== holding) continue
      if (asked.direction === 'out' && graph.from(transfer) !== holding) continue
      found.push(transfer)
      taken++
    }
  }
  return found.sort((a, b) => a - b).slice(0, asked.limit)
}

/** A transfer is found again by its id in any later generation; should it be gone, its time says where it was. */
function cursorPlace(graph: Graph, transfer: number): (string | number)[] {
  const { id, time } = graph.transfer(transfer)
  return [id, time]
}

function placeOf(graph: Graph, [id, time]: readonly (string | number)[]): number {
  const found = graph.find(String(id) as TransferId)
  return found >= 0 ? found : graph.firstAt(Number(time) + 1) - 1
}

function rowOf(graph: Graph, transfer: number): z.output<typeof TransferRow> {
  const { from, to, asset, amount, chain, block, time, tx, kind, position } =
    graph.transfer(transfer)
  return {
    transfer: transferId({ chain, tx, kind, position }),
    chain,
    block,
    time,
    tx,
    kind,
    asset: formatAsset(asset),
    from: from === undefined ? null : formatAccount(from),
    to: to === undefined ? null : formatAccount(to),
    amount: amount.toString(),
  }
}
