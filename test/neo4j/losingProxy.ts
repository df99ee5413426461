import { connect, createServer, type Socket } from 'node:net'

/** A proxy before a real server that loses what a network loses. */
export interface LosingProxy {
  readonly port: number
  /** Passes the next so many commits on to the server and cuts the connection instead of passing the replies back. */
  loseReplies(count: number): void
  /** How many replies it has lost. */
  readonly lost: number
  /** Cuts each connection once so many further bytes of answers have come through it. */
  cutAfter(bytes: number): void
  /** From now on nothing comes through, and nobody is told. */
  stall(): void
  close(): Promise<void>
}

/** The Bolt message COMMIT: one chunk of two bytes, a structure without fields. */
const commit = Buffer.from([0x00, 0x02, 0xb0, 0x12, 0x00, 0x00])

export async function startLosingProxy(targetPort: number): Promise<LosingProxy> {
  let replies = 0
  let lost = 0
  let stalled = false
  let allowance = Number.POSITIVE_INFINITY
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1')
    let silent = false
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (data: Buffer) => {
      if (stalled) return
      if (replies > 0 && data.includes(commit)) {
        replies--
        silent = true
      }
      upstream.write(data)
    })
    upstream.on('data', (data: Buffer) => {
      if (silent) {
        // The server has answered: it has committed.
        lost++
        client.destroy()
        return
      }
      allowance -= data.length
      if (allowance < 0) {
        allowance = Number.POSITIVE_INFINITY
        client.write(data.subarray(0, data.length >> 1), () => client.destroy())
        return
      }
      client.write(data)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    loseReplies(count) {
      replies = count
    },
    get lost() {
      return lost
    },
    cutAfter(bytes) {
      allowance = bytes
    },
    stall() {
      stalled = true
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
