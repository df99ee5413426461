import { createServer, type Socket } from 'node:net'

/**
 * A server that speaks just enough Bolt 5.4 for the driver, and answers as a test tells it: for what a single server
 * never does, such as losing its leadership. Numbers are bigints where they are whole.
 */
export interface ScriptedBolt {
  readonly port: number
  readonly address: string
  /** Every message received, in order. */
  readonly log: readonly Message[]
  close(): Promise<void>
}

export interface Message {
  readonly name: string
  readonly fields: readonly unknown[]
}

export interface RoutingTable {
  readonly ttlSeconds: number
  readonly routers: readonly string[]
  readonly readers: readonly string[]
  readonly writers: readonly string[]
}

/** What to answer to a message; absent: success, and no rows. */
export type Answer =
  | { readonly rows: readonly Readonly<Record<string, unknown>>[] }
  | { readonly failure: string }
  | { readonly route: RoutingTable }
  | { readonly bookmark: string }
  | 'cut'
  | undefined

const names: Readonly<Record<number, string>> = {
  1: 'HELLO',
  2: 'GOODBYE',
  15: 'RESET',
  16: 'RUN',
  17: 'BEGIN',
  18: 'COMMIT',
  19: 'ROLLBACK',
  47: 'DISCARD',
  63: 'PULL',
  84: 'TELEMETRY',
  102: 'ROUTE',
}

const success = 0x70
const record = 0x71
const ignored = 0x7e
const failure = 0x7f

export async function startScriptedBolt(
  script: (message: Message) => Answer,
): Promise<ScriptedBolt> {
  const log: Message[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    converse(socket, (message) => {
      log.push(message)
      return script(message)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  const port = typeof bound === 'object' && bound ? bound.port : 0
  return {
    port,
    address: `127.0.0.1:${port}`,
    log,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function converse(socket: Socket, script: (message: Message) => Answer): void {
  let input: Buffer = Buffer.alloc(0)
  let greeted = false
  let failed = false
  let waiting: readonly Readonly<Record<string, unknown>>[] = []
  const send = (tag: number, field: unknown): void => {
    const message = Buffer.concat([Buffer.from([0xb1, tag]), encoded(field)])
    // Chunks of at most 64 KiB, then an empty one.
    for (let at = 0; at < message.length; at += 0xffff) {
      const chunk = message.subarray(at, at + 0xffff)
      const head = Buffer.alloc(2)
      head.writeUInt16BE(chunk.length)
      socket.write(Buffer.concat([head, chunk]))
    }
    socket.write(Buffer.from([0, 0]))
  }
  const answer = (message: Message): void => {
    if (message.name === 'RESET') failed = false
    else if (failed) {
      socket.write(Buffer.from([0, 2, 0xb0, ignored, 0, 0]))
      return
    }
    const told = script(message)
    if (told === 'cut') socket.destroy()
    else if (told && 'failure' in told) {
      failed = true
      send(failure, { code: told.failure, message: 'as the test wants it' })
    } else if (told && 'route' in told) send(success, { rt: routingTable(told.route) })
    else if (message.name === 'RUN') {
      waiting = told && 'rows' in told ? told.rows : []
      send(success, { fields: Object.keys(waiting[0] ?? {}), t_first: 0n })
    } else if (message.name === 'PULL' || message.name === 'DISCARD') {
      if (message.name === 'PULL') for (const row of waiting) send(record, Object.values(row))
      waiting = []
      send(success, { type: 'rw', t_last: 0n, has_more: false })
    } else if (message.name === 'HELLO')
      send(success, { server: 'Neo4j/5.26.0', connection_id: 'bolt-1', hints: {} })
    else if (message.name !== 'GOODBYE')
      send(success, told && 'bookmark' in told ? { bookmark: told.bookmark } : {})
  }
  socket.on('data', (data: Buffer) => {
    input = Buffer.concat([input, data])
    if (!greeted) {
      if (input.length < 20) return
      greeted = true
      input = input.subarray(20)
      socket.write(Buffer.from([0, 0, 4, 5]))
    }
    for (;;) {
      const taken = takeMessage(input)
      if (!taken) return
      input = taken.rest
      if (taken.body.length > 0) answer(decodedMessage(taken.body))
    }
  })
}

function takeMessage(input: Buffer): { readonly body: Buffer; readonly rest: Buffer } | undefined {
  const chunks: Buffer[] = []
  for (let at = 0; at + 2 <= input.length; ) {
    const length = input.readUInt16BE(at)
    at += 2
    if (length === 0) return { body: Buffer.concat(chunks), rest: input.subarray(at) }
    if (at + length > input.length) return undefined
    chunks.push(input.subarray(at, at + length))
    at += length
  }
  return undefined
}

function routingTable({ ttlSeconds, routers, readers, writers }: RoutingTable): unknown {
  return {
    ttl: BigInt(ttlSeconds),
    db: 'neo4j',
    servers: [
      { role: 'ROUTE', addresses: routers },
      { role: 'READ', addresses: readers },
      { role: 'WRITE', addresses: writers },
    ],
  }
}

/** PackStream, as far as it is needed. */
function encoded(value: unknown): Buffer {
  if (value === null || value === undefined) return Buffer.from([0xc0])
  if (typeof value === 'boolean') return Buffer.from([value ? 0xc3 : 0xc2])
  if (typeof value === 'bigint' || typeof value === 'number') {
    const bytes = Buffer.alloc(9)
    bytes[0] = 0xcb
    bytes.writeBigInt64BE(BigInt(value), 1)
    return bytes
  }
  if (typeof value === 'string') {
    const text = Buffer.from(value)
    return Buffer.concat([sized(0xd2, text.length), text])
  }
  if (Array.isArray(value))
    return Buffer.concat([sized(0xd6, value.length), ...value.map((one) => encoded(one))])
  const entries = Object.entries(value)
  return Buffer.concat([
    sized(0xda, entries.length),
    ...entries.flatMap(([key, one]) => [encoded(key), encoded(one)]),
  ])
}

function sized(marker: number, size: number): Buffer {
  const bytes = Buffer.alloc(5)
  bytes[0] = marker
  bytes.writeUInt32BE(size, 1)
  return bytes
}

function decodedMessage(body: Buffer): Message {
  const reader = { body, at: 2 }
  const fields = Array.from({ length: (body[0] ?? 0) & 0x0f }, () => decoded(reader))
  return { name: names[body[1] ?? 0] ?? `0x${body[1]?.toString(16)}`, fields }
}

interface Reader {
  readonly body: Buffer
  at: number
}

function decoded(reader: Reader): unknown {
  const { body } = reader
  const marker = body[reader.at++] as number
  const size = (bytes: 1 | 2 | 4): number => {
    const value = body.readUIntBE(reader.at, bytes)
    reader.at += bytes
    return value
  }
  const text = (length: number): string => {
    const value = body.toString('utf8', reader.at, reader.at + length)
    reader.at += length
    return value
  }
  const list = (length: number): unknown[] => Array.from({ length }, () => decoded(reader))
  const map = (length: number): Record<string, unknown> =>
    Object.fromEntries(Array.from({ length }, () => [String(decoded(reader)), decoded(reader)]))
  if (marker < 0x80) return BigInt(marker)
  if (marker >= 0xf0) return BigInt(marker - 0x100)
  if (marker < 0x90) return text(marker & 0x0f)
  if (marker < 0xa0) return list(marker & 0x0f)
  if (marker < 0xb0) return map(marker & 0x0f)
  const long: Readonly<Record<number, () => unknown>> = {
    192: () => null,
    193: () => {
      reader.at += 8
      return body.readDoubleBE(reader.at - 8)
    },
    194: () => false,
    195: () => true,
    200: () => BigInt(body.readInt8(reader.at++)),
    201: () => {
      reader.at += 2
      return BigInt(body.readInt16BE(reader.at - 2))
    },
    202: () => {
      reader.at += 4
      return BigInt(body.readInt32BE(reader.at - 4))
    },
    203: () => {
      reader.at += 8
      return body.readBigInt64BE(reader.at - 8)
    },
    208: () => text(size(1)),
    209: () => text(size(2)),
    210: () => text(size(4)),
    212: () => list(size(1)),
    213: () => list(size(2)),
    214: () => list(size(4)),
    216: () => map(size(1)),
    217: () => map(size(2)),
    218: () => map(size(4)),
  }
  const read = long[marker]
  if (!read) throw new RangeError(`PackStream marker 0x${marker.toString(16)} is not read`)
  return read()
}
