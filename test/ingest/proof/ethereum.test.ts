import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { prove } from '../../../ingest/proof/prove.ts'
import { type RpcNode, RpcRefusal } from '../../../ingest/rpc/node.ts'
import type { Fields } from '../../../ingest/rpc/values.ts'
import { parseAccount } from '../../../src/ledger/account.ts'
import type { ChainId } from '../../../src/ledger/chain.ts'
import { canonicalTransfers } from '../../chain/balanceProof.ts'
import { realData } from '../../realData.ts'
import { emptyStore } from './provenChain.ts'

const chain = 'eip155:1' as ChainId
const folder = realData('ethereum-etl-fixtures/tests/resources/test_stream/blocks_1755634_1755635')
const hash = '0x1dec87ec1ba8e65b7773bb6f62249468948a28a427efd3d896a2ff7d7c591a67'

/** What a node of Ethereum answered, as it was recorded; it has no receipts of whole blocks and no archive. */
function recordedNode(
  given: string,
  lie: (result: Fields) => Fields = (result) => result,
): RpcNode {
  const files = readdirSync(given)
  return {
    name: 'node:recorded',
    calls: 0,
    async call(method, params) {
      const name = `web3_response.${[method, ...params].join('_')}.json`
      const short = files.find((file) => file === name)
      if (short === undefined) throw new RpcRefusal(-32601, 'the method does not exist')
      return lie(
        (JSON.parse(readFileSync(join(given, short), 'utf8')) as { result: Fields }).result,
      )
    },
  }
}

describe.runIf(folder !== undefined)(
  'two blocks of Ethereum of June 2016, from recorded answers',
  () => {
    async function proven(address: string, lie?: (result: Fields) => Fields): Promise<string[]> {
      const place = await emptyStore()
      try {
        const account = parseAccount(address, chain)
        const report = await prove({
          store: place.store,
          chain,
          endpoints: [recordedNode(folder ?? '', lie)],
          anchors: [{ block: 1_755_635, hash }],
          isWrapped: () => false,
          isEthereum: true,
          likeEthereum: false,
          kinds: undefined,
          tokens: new Set(),
          account,
          range: { from: 1_755_634, to: 1_755_635 },
          transactions: [],
          signal: new AbortController().signal,
          agreesToCost: async () => true,
          tell: () => undefined,
        })
        expect(report).toMatchObject({ ok: true, proven: ['fee', 'native', 'token', 'withdrawal'] })
        // No archive: said so, and nothing is lowered.
        expect((await place.store.coverageClaims()).map((claim) => claim.assurance)).toEqual([
          3, 3, 3, 3,
        ])
        return (await canonicalTransfers(place.store)).map(
          ({ kind, position, from, to, amount }) =>
            `${kind} ${position} ${from?.slice(9, 15)} ${to?.slice(9, 15)} ${amount}`,
        )
      } finally {
        await place.close()
      }
    }

    test('a token transfer that another signed', async () => {
      expect(await proven('0x8b3b3b624c3c0397d3da8fd861512393d51dcbac')).toEqual([
        `fee 0 0xed05 undefined ${0x8e42n * 20_000_000_000n}`,
        'native 0 0xed05 0x8b3b 0',
        'token 0 0x6498 0x8b3b 5000000000000000000',
      ])
    })

    test('a payment, whose receipt does not say that it was done but whose gas does', async () => {
      expect(await proven('0x3763e6e1228bfeab94191c856412d1bb0a8e6996')).toEqual([
        `fee 0 0x3763 undefined ${21_000n * 20_000_000_000n}`,
        `native 0 0x3763 0xec1e ${0x5a178a89b930e00n}`,
      ])
    })

    test('somebody who is not there has nothing, and that is proven', async () => {
      expect(await proven('0x00000000000000000000000000000000000000aa')).toEqual([])
    })

    test('error: the token transfer with another amount', async () => {
      const lie = (result: Fields): Fields =>
        JSON.parse(
          JSON.stringify(result).replaceAll('4563918244f40000', '4563918244f40001'),
        ) as Fields
      await expect(proven('0x8b3b3b624c3c0397d3da8fd861512393d51dcbac', lie)).rejects.toMatchObject(
        {
          code: 'rpc.invalid-answer',
        },
      )
    })
  },
)
