import { createDigestChain, plainLines } from './contentDigest.ts'
import type { RawRows } from './rawRows.ts'
import { answer } from './thread.ts'

/** Thread that computes content digests: of shared rows to begin with, then of the text that is added. */

export type DigestQuestion =
  | { readonly raw: RawRows; readonly order: Uint32Array }
  | { readonly fromRow: number; readonly texts: readonly Uint8Array[] }

const chain = createDigestChain()

answer((question: DigestQuestion) => {
  if ('raw' in question) return chain.goOn(0, plainLines(question.raw, question.order, 0))
  return chain.goOn(question.fromRow, question.texts)
})
