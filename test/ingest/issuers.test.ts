import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { id } from 'ethers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freezeOfLog, issuerTopics } from '../../ingest/decode/issuerLog.ts'
import { tokenLegOfLog } from '../../ingest/decode/tokenLog.ts'
import { runWorker } from '../../ingest/worker.ts'
import type { TraceAnswer } from '../../src/analysis/traceAnswer.ts'
import { openKnowledge } from '../../src/api/knowledge.ts'
import { pinTrace, replayTrace } from '../../src/api/pinnedTraces.ts'
import { runTrace, traceMoment } from '../../src/api/runTrace.ts'
import { formatAccount, parseAccount } from '../../src/ledger/account.ts'
import { tokenAsset } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { putFlag } from '../../src/store/flags.ts'
import { openStore } from '../../src/store/open.ts'
import { type Anvil, startAnvil } from '../chain/anvil.ts'
import { canonicalTransfers, replay, tokenBalance } from '../chain/balanceProof.ts'
import { createScene, type Deployed, type Scene } from '../chain/scene.ts'
import { chain as ethereum, usdt, wallet } from '../ledger.arbitrary.ts'

const events: readonly (readonly [string, 'frozen' | 'released' | 'destroyed'])[] = [
  ['AddedBlackList(address)', 'frozen'],
  ['RemovedBlackList(address)', 'released'],
  ['DestroyedBlackFunds(address,uint256)', 'destroyed'],
  ['BlockPlaced(address)', 'frozen'],
  ['BlockReleased(address)', 'released'],
  ['DestroyedBlockedFunds(address,uint256)', 'destroyed'],
  ['Blacklisted(address)', 'frozen'],
  ['UnBlacklisted(address)', 'released'],
]

describe("issuers' logs", () => {
  const word = (n: number): string => n.toString(16).padStart(64, '0')

  test.each(events)('%s, its arguments indexed or not', (name, change) => {
    const topic = id(name)
    const amount = change === 'destroyed' ? word(5) : ''
    const found = { account: wallet(1), change }
    expect(freezeOfLog([topic], `0x${word(1)}${amount}`, ethereum)).toEqual(found)
    expect(freezeOfLog([topic, `0x${word(1)}`], `0x${amount}`, ethereum)).toEqual(found)
    expect(issuerTopics).toContain(topic)
  })

  test.each([
    ['another event', [id('Paused()')], `0x${word(1)}`],
    ['nobody', [id('Blacklisted(address)')], '0x'],
    ['the zero address', [id('Blacklisted(address)')], `0x${word(0)}`],
    ['an amount that is not there', [id('DestroyedBlackFunds(address,uint256)')], `0x${word(1)}`],
    ['words cut short', [id('AddedBlackList(address)')], '0x01'],
  ])('say nothing with %s', (_, topics, data) => {
    expect(freezeOfLog(topics, data, ethereum)).toBeUndefined()
  })

  test('what is destroyed is a burn where the contract is a listed issuer, and nothing elsewhere', () => {
    const log = {
      chain: ethereum,
      topics: [id('DestroyedBlackFunds(address,uint256)')],
      data: `0x${word(1)}${word(5)}`,
      isWrapped: () => false,
    }
    const contract = usdt.slice(usdt.lastIndexOf(':') + 1)
    expect(tokenLegOfLog({ ...log, contract })).toEqual({
      asset: usdt,
      from: wallet(1),
      amount: 5n,
      flags: ['destroyed'],
    })
    expect(tokenLegOfLog({ ...log, contract: `0x${'9'.repeat(40)}` })).toBeUndefined()
  })
})

describe('golden 19: blacklisted, then destroyed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'jejak-issuers-'))
  let anvil: Anvil
  let scene: Scene
  let chain: ChainId
  let tether: Deployed
  let location: string
  let [maker, victim, thief, mule, other] = ['', '', '', '', '']

  beforeAll(async () => {
    anvil = await startAnvil()
    scene = await createScene(anvil)
    chain = `eip155:${Number(await anvil.call('eth_chainId'))}` as ChainId
    ;[maker = '', victim = '', thief = '', mule = '', other = ''] = scene.people
    tether = await scene.deploy('Blacklisting', [1_000n])
    await scene.call(maker, tether, 'transfer', [victim, 100n])
    await scene.call(victim, tether, 'transfer', [thief, 100n])
    await scene.call(thief, tether, 'transfer', [mule, 70n])
    await scene.call(thief, tether, 'transfer', [other, 30n])
    location = join(folder, 'store')
    const store = await openStore(location)
    await store.writeDocument('freezable', tokenAsset(chain, tether.address), 0, {})
    await store.close()
  }, 60_000)

  afterAll(async () => {
    await anvil?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  async function follow(): Promise<TraceAnswer> {
    const store = await openStore(location)
    for (const person of [victim, thief, mule, other]) {
      const account = parseAccount(person, chain)
      await putFlag(store, { account, reason: 'test', source: 'test' }, new Date(0))
    }
    await store.close()
    const tell = (event: { readonly event: string }): void => expect(event.event).not.toBe('failed')
    const signal = new AbortController().signal
    await runWorker({ store: location, rpc: anvil.url, once: true, signal, tries: 2, tell })
    const knowledge = await openKnowledge(location)
    try {
      return await runTrace(knowledge, await request())
    } finally {
      await knowledge.close()
    }
  }

  async function request() {
    const account = parseAccount(victim, chain)
    return { seedAddresses: [account], side: 'sent' as const }
  }

  const ends = ({ outcomes }: TraceAnswer) =>
    outcomes.map(({ outcome, account, amount }) => `${outcome} ${nameOf(account)} ${amount}`).sort()

  const nameOf = (account: string): string =>
    Object.entries({ mule, other, thief }).find(
      ([, address]) => formatAccount(parseAccount(address, chain)) === account,
    )?.[0] ?? account

  test('held, frozen, released, frozen by a block, and at last burned', async () => {
    expect(ends(await follow())).toEqual(['still_held mule 70', 'still_held other 30'])
    await scene.call(maker, tether, 'addBlackList', [mule])
    const frozen = await follow()
    expect(ends(frozen)).toEqual(['frozen mule 70', 'still_held other 30'])
    const block = Number(await anvil.call('eth_blockNumber'))
    expect(frozen.outcomes[0]?.reason ?? frozen.outcomes[1]?.reason).toMatch(
      new RegExp(`^blacklisted in block ${block} by 0x[0-9a-f]{64}$`),
    )
    await scene.call(maker, tether, 'removeBlackList', [mule])
    expect(ends(await follow())).toEqual(['still_held mule 70', 'still_held other 30'])
    await scene.call(maker, tether, 'addBlackList', [mule])
    await scene.call(maker, tether, 'destroyBlackFunds', [mule])
    expect(ends(await follow())).toEqual(['burned mule 70', 'still_held other 30'])
    await expectThenFrozen(block)
    await expectBalance()
  }, 60_000)

  /** As of an earlier block what was frozen then is frozen. */
  async function expectThenFrozen(block: number): Promise<void> {
    const knowledge = await openKnowledge(location)
    try {
      const moment = await traceMoment(knowledge, {
        ...(await request()),
        asOf: { [chain]: block },
      })
      expect(ends(moment.answer)).toEqual(['frozen mule 70', 'still_held other 30'])
      await pinTrace(knowledge.store, moment)
      expect(await replayTrace(knowledge, moment.answer.id)).toEqual(moment.answer)
    } finally {
      await knowledge.close()
    }
  }

  /** The contract emits no Transfer for what it destroys; the balance shows that none is missing. */
  async function expectBalance(): Promise<void> {
    const store = await openStore(location)
    const balances = replay(await canonicalTransfers(store))
    await store.close()
    const asset = tokenAsset(chain, tether.address)
    for (const person of [thief, mule, other])
      expect(balances.get(`${person.toLowerCase()} ${asset}`) ?? 0n).toBe(
        await tokenBalance(anvil, tether, person),
      )
  }

  test('a freeze that a reorganisation undid is undone', async () => {
    const snapshot = await anvil.call('evm_snapshot')
    await scene.call(maker, tether, 'addBlackList', [other])
    expect(ends(await follow())).toEqual(['burned mule 70', 'frozen other 30'])
    await anvil.call('evm_revert', [snapshot])
    for (let i = 0; i < 3; i++) await anvil.call('evm_mine')
    expect(ends(await follow())).toEqual(['burned mule 70', 'still_held other 30'])
  }, 60_000)
})
