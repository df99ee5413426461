import type { Worker } from 'node:worker_threads'
import { createDigestChain, digestStride, plainLines } from './contentDigest.ts'
import type { DigestQuestion } from './digestWorker.ts'
import type { RawRows } from './rawRows.ts'
import { ask, startThread } from './thread.ts'

/** Computes the content digests of one generation after another. */
export interface Digester {
  /**
   * @param order - rows in ledger order.
   * @param kept - the first so many are those of the digest before; 0 for a new ledger.
   */
  digest(raw: RawRows, order: Uint32Array, kept: number): Promise<string>
  close(): Promise<void>
}

/** From so many rows on a thread of its own pays. */
const manyRows = 300_000

/**
 * Large ledgers are hashed in a thread beside the building of the columns: it takes a third of the time, and what it
 * reads is in shared memory. The thread keeps the states of its hash; what is added later is sent to it as text.
 */
export function createDigester(): Digester {
  let chain = createDigestChain()
  let thread: Worker | undefined

  async function stop(): Promise<void> {
    const worker = thread
    thread = undefined
    await worker?.terminate()
  }

  return {
    // Nothing is awaited before the thread has its question: the caller goes on building at once.
    async digest(raw, order, kept) {
      if (kept === 0) {
        void stop()
        chain = createDigestChain()
        if (order.length >= manyRows) {
          thread = startThread(new URL('./digestWorker.ts', import.meta.url))
          return ask(thread, { raw, order } satisfies DigestQuestion)
        }
      }
      const fromRow = kept - (kept % digestStride)
      const lines = plainLines(raw, order, fromRow)
      if (!thread) return chain.goOn(fromRow, lines)
      const texts = Array.from(lines, (text) => new Uint8Array(text))
      const question: DigestQuestion = { fromRow, texts }
      return ask(
        thread,
        question,
        texts.map(({ buffer }) => buffer),
      )
    },
    close: stop,
  }
}
