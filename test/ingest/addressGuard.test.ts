import { describe, expect, test } from 'vitest'
import { guardAddress, isPublicAddress, type Resolve } from '../../ingest/rpc/addressGuard.ts'
import { createNode } from '../../ingest/rpc/node.ts'
import { answering, startScriptedRpc } from './scriptedRpc.ts'

const privateAddresses = [
  '127.0.0.1',
  '10.1.2.3',
  '172.16.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '0.0.0.0',
  '255.255.255.255',
  '224.0.0.1',
  '::1',
  '::',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'fe80::1%eth0',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  'nonsense',
]

test.each(privateAddresses)('%s is not public', (address) => {
  expect(isPublicAddress(address)).toBe(false)
})

test.each(['1.1.1.1', '93.184.216.34', '2606:4700:4700::1111'])('%s is public', (address) => {
  expect(isPublicAddress(address)).toBe(true)
})

function lookup(hostname: string, addresses: readonly string[], allowPrivate = false) {
  const resolve: Resolve = async () =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  const guard = guardAddress(hostname, { resolve, allowPrivate })
  return new Promise((done, fail) => {
    guard.lookup(hostname, { all: true }, (error, found) => (error ? fail(error) : done(found)))
  })
}

describe('a name', () => {
  test('that stands for public addresses is taken', async () => {
    expect(await lookup('node.example', ['1.1.1.1', '2606:4700:4700::1111'])).toHaveLength(2)
  })

  test.each(privateAddresses)('error: that stands for %s is not', async (address) => {
    await expect(lookup('node.example', [address])).rejects.toMatchObject({
      code: 'rpc.forbidden-address',
    })
    await expect(lookup('node.example', ['1.1.1.1', address])).rejects.toMatchObject({
      code: 'rpc.forbidden-address',
    })
  })

  test('localhost is loopback and nothing else', async () => {
    expect(await lookup('localhost', ['127.0.0.1', '::1'])).toHaveLength(2)
    await expect(lookup('localhost', ['10.0.0.1'])).rejects.toMatchObject({
      code: 'rpc.forbidden-address',
    })
  })

  test('in the own network is taken when the operator says so', async () => {
    expect(await lookup('geth', ['172.18.0.5'], true)).toHaveLength(1)
  })
})

describe('through the transport', () => {
  /** A node at 127.0.0.1, asked under another name. */
  async function asked(
    change: (url: string) => string,
    options: { readonly resolve?: Resolve; readonly allowPrivate?: boolean } = {},
  ): Promise<[answer: unknown, requests: number]> {
    const server = await startScriptedRpc(() => answering(() => ({ result: '0x7' })))
    try {
      const node = createNode(change(server.url), { tries: 1, timeoutMs: 2_000, ...options })
      const answer = await node
        .call('eth_blockNumber', [])
        .catch((error: unknown) => (error as { code: string }).code)
      return [answer, server.asked()]
    } finally {
      await server.stop()
    }
  }
  const loopback: Resolve = async () => [{ address: '127.0.0.1', family: 4 }]

  test.each(['127.0.0.1', 'localhost', '2130706433', '0x7f.1', '0177.0.0.1', '[::ffff:127.0.0.1]'])(
    'an operator who configures %s means it',
    async (host) => {
      expect(await asked((url) => url.replace('127.0.0.1', host))).toEqual(['0x7', 1])
    },
  )

  test('error: a name that leads to it is refused before anything is sent', async () => {
    const change = (url: string): string => url.replace('127.0.0.1', 'node.example')
    expect(await asked(change, { resolve: loopback })).toEqual(['rpc.forbidden-address', 0])
    expect(await asked(change, { resolve: loopback, allowPrivate: true })).toEqual(['0x7', 1])
  })

  test('error: a name that stands for another machine a second later is looked at again', async () => {
    let lookups = 0
    const rebinding: Resolve = async () =>
      lookups++ === 0 ? [{ address: '192.0.2.1', family: 4 }] : loopback('')
    const change = (url: string): string => url.replace('127.0.0.1', 'node.example')
    const server = await startScriptedRpc(() => answering(() => ({ result: '0x7' })))
    const node = createNode(change(server.url), { tries: 1, timeoutMs: 300, resolve: rebinding })
    await node.call('eth_blockNumber', []).catch(() => undefined)
    await expect(node.call('eth_blockNumber', [])).rejects.toMatchObject({
      code: 'rpc.forbidden-address',
    })
    expect(server.asked()).toBe(0)
    await server.stop()
  })
})
