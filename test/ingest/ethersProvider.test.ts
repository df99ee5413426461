import { Contract } from 'ethers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ethersProvider } from '../../ingest/rpc/ethersProvider.ts'
import { createNode } from '../../ingest/rpc/node.ts'
import { type Anvil, startAnvil } from '../chain/anvil.ts'
import { createScene, type Deployed, type Scene } from '../chain/scene.ts'

let anvil: Anvil
let scene: Scene
let token: Deployed

beforeAll(async () => {
  anvil = await startAnvil()
  scene = await createScene(anvil)
  token = await scene.deploy('Token', [1_000n])
})

afterAll(() => anvil.stop())

test('ethers calls a contract through our transport, and asks nothing else', async () => {
  const node = createNode(anvil.url, { tries: 1 })
  const provider = ethersProvider(node, Number(await anvil.call('eth_chainId')))
  const contract = new Contract(token.address, token.abi, provider)
  const [maker = '', other = ''] = scene.people
  expect(await contract.getFunction('balanceOf')(maker)).toBe(1_000n)
  const both = [maker, other].map((who) => contract.getFunction('balanceOf')(who))
  expect(await Promise.all(both)).toEqual([1_000n, 0n])
  expect(node.calls).toBe(3)
})

test('error: a revert is ethers’ own error, and a node that is away is ours', async () => {
  const node = createNode(anvil.url, { tries: 1 })
  const chainId = Number(await anvil.call('eth_chainId'))
  const contract = new Contract(token.address, token.abi, ethersProvider(node, chainId))
  const [, poor = '', other = ''] = scene.people
  await expect(
    contract.getFunction('transfer').staticCall(other, 5n, { from: poor }),
  ).rejects.toMatchObject({ code: 'CALL_EXCEPTION' })
  const away = createNode('http://127.0.0.1:9/key-of-somebody', { tries: 1 })
  const lost = new Contract(token.address, token.abi, ethersProvider(away, chainId))
  await expect(lost.getFunction('balanceOf')(poor)).rejects.toMatchObject({
    code: 'rpc.unavailable',
  })
})
