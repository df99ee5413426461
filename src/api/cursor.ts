import { createHmac, timingSafeEqual } from 'node:crypto'
import { KnownError } from '../ledger/errors.ts'

/**
 * Opaque, signed cursors. The signature is no secret to guard: it keeps callers from relying on what is inside, and
 * a cursor from being used for another question.
 */
export interface Cursors {
  write(question: string, place: readonly (string | number)[]): string
  /**
   * @throws KnownError `cursor.invalid`
   */
  read(question: string, cursor: string): readonly (string | number)[]
}

export function createCursors(key: string): Cursors {
  const sign = (question: string, body: string): Buffer =>
    createHmac('sha256', key).update(`${question}\n${body}`).digest().subarray(0, 16)
  return {
    write(question, place) {
      const body = Buffer.from(JSON.stringify(place)).toString('base64url')
      return `${body}.${sign(question, body).toString('base64url')}`
    },
    read(question, cursor) {
      const [body = '', signature = ''] = cursor.split('.')
      const given = Buffer.from(signature, 'base64url')
      const right = sign(question, body)
      if (given.length === right.length && timingSafeEqual(given, right)) {
        return JSON.parse(Buffer.from(body, 'base64url').toString()) as (string | number)[]
      }
      throw new KnownError('cursor.invalid', 'the cursor does not belong to this question', {
        hint: 'Use next_cursor of the previous page with the same filters, or begin without a cursor.',
      })
    },
  }
}
