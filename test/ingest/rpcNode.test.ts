import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { wallClock } from '../../ingest/rpc/clock.ts'
import { createNode, type Endpoint, type NodeOptions } from '../../ingest/rpc/node.ts'
import { hastyClock } from './hastyClock.ts'
import {
  answering,
  body,
  faults,
  inTurn,
  type Reply,
  type ScriptedRpc,
  secretKey,
  startScriptedRpc,
} from './scriptedRpc.ts'

const servers: ScriptedRpc[] = []

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

/** A node that gives these replies one after another, the last one for ever. */
async function scripted(...replies: readonly Reply[]): Promise<ScriptedRpc> {
  const server = await startScriptedRpc(inTurn(...replies))
  servers.push(server)
  return server
}

const good = answering(() => ({ result: '0x7' }))

function node(url: string, options: NodeOptions = {}): Endpoint {
  return createNode(url, {
    tries: 2,
    timeoutMs: 2_000,
    known: { batches: true },
    clock: hastyClock(),
    ...options,
  })
}

async function call(url: string, options: NodeOptions = {}): Promise<unknown> {
  return node(url, options).call('eth_blockNumber', [])
}

describe('what may pass is tried again', () => {
  test.each<[string, Reply]>([
    ['HTTP 503', faults.status(503)],
    ['HTTP 429', faults.tooMany()],
    ['HTTP 429 with a page', faults.html(429)],
    ['429 under HTTP 200', faults.tooManyInside()],
    ['a page of HTML', faults.html()],
    ['a page of a gateway', faults.html(502)],
    ['half an answer', faults.truncated()],
    ['fewer bytes than announced', faults.cut()],
    ['no answer', faults.empty()],
    ['a closed connection', faults.closed()],
    ['the answer to another call', faults.wrongId()],
    ['an answer without a result', (r, { calls }) => void r.end(`{"id":${calls[0]?.id}}`)],
    ['"limit exceeded" (-32005)', faults.error({ code: -32005, message: 'limit exceeded' })],
    ['an internal error', faults.error({ code: -32603, message: 'Internal error' })],
    ['a compression that nobody asked for', body('x', 200, { 'content-encoding': 'br' })],
  ])('%s', async (_, fault) => {
    const { url, asked } = await scripted(fault, good)
    expect(await call(url)).toBe('0x7')
    expect(asked()).toBe(2)
  })

  test.each<[string, Reply]>([
    ['seconds in a header', faults.tooMany('1')],
    [
      "a date in a header, on the node's clock",
      body('', 429, {
        date: 'Thu, 01 Jan 2015 00:00:00 GMT',
        'retry-after': 'Thu, 01 Jan 2015 00:00:01 GMT',
      }),
    ],
    [
      'data.rate.backoff_seconds',
      faults.error({
        code: -32005,
        message: 'project ID request rate exceeded',
        data: { rate: { allowed_rps: 50, backoff_seconds: 1, current_rps: 60 } },
      }),
    ],
    ['its words', faults.error({ code: 429, message: 'too many requests, retry in 1s' })],
  ])('not before the node asks for: %s', async (_, fault) => {
    const { url } = await scripted(fault, good)
    const started = performance.now()
    expect(await call(url, { clock: wallClock })).toBe('0x7')
    expect(performance.now() - started).toBeGreaterThan(950)
    expect(performance.now() - started).toBeLessThan(1_900)
  })

  test('error: a node that never answers is unavailable, and its key is not told', async () => {
    const { url } = await scripted(faults.silence())
    const failed = await call(url, { timeoutMs: 100 }).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'rpc.unavailable', retryable: true })
    expect(JSON.stringify(failed) + String(failed)).not.toContain(secretKey)
  })

  test('error: an answer that drips is not waited for', async () => {
    const { url } = await scripted(faults.slowLoris(20))
    const started = performance.now()
    await expect(call(url, { timeoutMs: 200 })).rejects.toMatchObject({ code: 'rpc.unavailable' })
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})

describe('what cannot pass is not tried again', () => {
  test('error: a refusal is told with the words of the node, and not repeated', async () => {
    const refusal = { code: -32601, message: 'the method does not exist' }
    const { url, asked } = await scripted(faults.error(refusal))
    await expect(call(url)).rejects.toMatchObject({ code: 'rpc.refused', rpcCode: -32601 })
    expect(asked()).toBe(1)
  })

  test.each<[string, Reply]>([
    [
      'a plan that is used up',
      faults.error({ code: 429, message: 'Monthly capacity limit exceeded.' }),
    ],
    ['a wrong key', faults.error({ code: -32000, message: `invalid api key ${secretKey}` })],
    ['HTTP 401', faults.status(401)],
    ['HTTP 402', faults.status(402)],
  ])('error: %s parks the node with the reason, which hides the key', async (_, fault) => {
    const { url, asked } = await scripted(fault, good)
    const one = node(url)
    const failed = await one.call('eth_chainId', []).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'rpc.parked' })
    expect(String(failed)).not.toContain(secretKey)
    expect(one.parked?.reason).toBeTruthy()
    await expect(one.call('eth_chainId', [])).rejects.toMatchObject({ code: 'rpc.parked' })
    expect(asked()).toBe(1)
  })
})

describe('what cannot be right is not believed', () => {
  test('error: the answer to another call, again and again', async () => {
    const { url } = await scripted(faults.wrongId())
    await expect(call(url)).rejects.toMatchObject({ code: 'rpc.invalid-answer' })
  })

  test.each<[string, Reply]>([
    ['long', body(' '.repeat(2 ** 21))],
    ['a bomb of 64 MiB', faults.gzipBomb(64 * 2 ** 20)],
    ['announced as too long', body('{}', 200, { 'content-length': String(2 ** 40) })],
    [
      'long before it is unpacked',
      (response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' })
        response.end(Buffer.concat([gzipSync('{}'), Buffer.alloc(2 ** 21)]))
      },
    ],
  ])('error: an answer that is too large: %s', async (_, fault) => {
    const { url } = await scripted(fault)
    await expect(call(url, { maxAnswerBytes: 2 ** 20 })).rejects.toMatchObject({
      code: 'rpc.invalid-answer',
    })
  })

  test('error: a node that sends the call elsewhere is not followed', async () => {
    const elsewhere = await scripted(good)
    for (const status of [301, 302, 307, 308]) {
      const { url, asked } = await scripted(faults.redirect(elsewhere.url, status))
      await expect(call(url)).rejects.toMatchObject({ code: 'rpc.unavailable' })
      expect(asked()).toBe(1)
    }
    expect(elsewhere.asked()).toBe(0)
  })
})

describe('several calls in one request', () => {
  const calls = Array.from({ length: 7 }, (_, i) => [`method_${i}`, [i]] as const)
  const echo = answering(({ method, params }) => ({ result: `${method} ${params[0]}` }))
  const expected = calls.map(([method, [i]]) => `${method} ${i}`)

  test('are answered in the order of the calls, in whatever order the node answers', async () => {
    const { url, asked } = await scripted((response, { calls: given }) => {
      const answers = given.map(({ id, method, params }) => ({
        id,
        result: `${method} ${params[0]}`,
      }))
      response.end(JSON.stringify(answers.reverse()))
    })
    expect(await node(url).batch(calls)).toEqual(expected)
    expect(asked()).toBe(1)
  })

  test.each<[string, Reply]>([
    [
      'refuses the batch',
      body('{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch not allowed"}}'),
    ],
    [
      'answers the first only',
      (r, { calls: [first] }) =>
        void r.end(JSON.stringify([{ id: first?.id, result: `${first?.method} 0` }])),
    ],
    [
      'answers one of them twice',
      (r, { calls: given }) =>
        void r.end(JSON.stringify(given.map(() => ({ id: given[0]?.id, result: 'x' })))),
    ],
    ['does not answer', faults.closed()],
    ['answers 429', faults.tooMany()],
    ['answers each with 429', answering(() => ({ error: { code: 429, message: 'too many' } }))],
  ])('are asked one by one of a node that %s', async (_, reply) => {
    const server = await startScriptedRpc(({ isBatch }) => (isBatch ? reply : echo))
    servers.push(server)
    expect(await node(server.url).batch(calls)).toEqual(expected)
  })

  test('a node that refused a batch is not sent another', async () => {
    const server = await startScriptedRpc(({ isBatch }) =>
      isBatch ? faults.error({ code: -32600, message: 'no' }) : echo,
    )
    servers.push(server)
    const refusing = await startScriptedRpc(({ isBatch }) =>
      isBatch ? body('{"id":null,"error":{"code":-32600,"message":"no batches"}}') : echo,
    )
    servers.push(refusing)
    const one = node(refusing.url)
    await one.batch(calls)
    await one.batch(calls)
    expect(refusing.asked()).toBe(1 + 2 * calls.length)
    expect(one.known().batches).toBe(false)
  })

  test('error: one that is refused fails them all', async () => {
    const { url } = await scripted(
      answering(({ params }) =>
        params[0] === 3 ? { error: { code: -32601, message: 'no such method' } } : { result: 1 },
      ),
    )
    await expect(node(url).batch(calls)).rejects.toMatchObject({ code: 'rpc.refused' })
  })
})

test('a call under way ends when the worker is told to stop', async () => {
  const { url } = await scripted(faults.silence())
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 50)
  const started = performance.now()
  await expect(call(url, { signal: stop.signal, timeoutMs: 60_000 })).rejects.toThrow()
  expect(performance.now() - started).toBeLessThan(5_000)
})

test('an endpoint has one name, and the name tells no key', async () => {
  const one = createNode('https://node.example/v3/secret-key')
  expect(one.name).toBe(createNode('https://node.example/v3/other-key').name)
  expect(one.name).toMatch(/^node:[0-9a-f]{12}$/)
})

test('a user and a password in the URL are sent, and never told', async () => {
  let seen: string | undefined
  const server = await startScriptedRpc(({ request }) => {
    seen = request.headers.authorization
    return faults.error({ code: -32000, message: 'user operator with hunter22 may not do that' })
  })
  servers.push(server)
  const failed = await call(server.url.replace('http://', 'http://operator:hunter22@')).catch(
    String,
  )
  expect(seen).toBe(`Basic ${Buffer.from('operator:hunter22').toString('base64')}`)
  expect(failed).toContain('may not do that')
  expect(failed).not.toContain('hunter22')
})
