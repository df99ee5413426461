import { parentPort } from 'node:worker_threads'
import { createDigestChain, plainLines } from './contentDigest.ts'
import type { RawRows } from './rawRows.ts'

/** Thread that computes content digests: of shared rows to begin with, then of the text that is added. */

export type DigestQuestion =
  | { readonly raw: RawRows; readonly order: Uint32Array }
  | { readonly fromRow: number; readonly texts: readonly Uint8Array[] }

export type DigestAnswer = { readonly digest: string } | { readonly error: unknown }

const chain = createDigestChain()

function answer(question: DigestQuestion): DigestAnswer {
  try {
    if ('raw' in question)
      return { digest: chain.goOn(0, plainLines(question.raw, question.order, 0)) }
    return { digest: chain.goOn(question.fromRow, question.texts) }
  } catch (error) {
    return { error }
  }
}

parentPort?.on('message', (question: DigestQuestion) => {
  parentPort?.postMessage(answer(question))
})
