import { createHash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'

/** Asks a server from a thread of its own, so that only the server's work is seen in the server's event loop. */
export interface ClientWork {
  readonly url: string
  readonly bodies: readonly string[]
  readonly together: number
}

export interface ClientReport {
  readonly digests: readonly string[]
  readonly bytes: number
  readonly ms: readonly number[]
}

parentPort?.on('message', ({ url, bodies, together }: ClientWork) => {
  void asked(url, bodies, together).then((report) => parentPort?.postMessage(report))
})

async function asked(
  url: string,
  bodies: readonly string[],
  together: number,
): Promise<ClientReport> {
  const digests: string[] = []
  const ms: number[] = []
  let bytes = 0
  let next = 0
  const ask = async (): Promise<void> => {
    for (let i = next++; i < bodies.length; i = next++) {
      const begun = performance.now()
      const answer = await fetch(`${url}/v1/traces`, {
        method: 'POST',
        body: bodies[i] ?? '',
        headers: { 'content-type': 'application/json', prefer: 'wait=200' },
      })
      const text = await answer.text()
      if (answer.status !== 200) throw new Error(`${answer.status} ${text.slice(0, 300)}`)
      ms[i] = performance.now() - begun
      bytes += text.length
      digests[i] = createHash('sha256').update(text).digest('hex')
    }
  }
  await Promise.all(Array.from({ length: together }, ask))
  return { digests, bytes, ms }
}
