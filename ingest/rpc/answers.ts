import { type Exchanged, NoAnswer } from './exchange.ts'
import type { Refused } from './refusals.ts'

/** What came back for one call. */
export type CallAnswer =
  | { readonly result: unknown }
  | { readonly refused: Refused; readonly retryAfterMs?: number }

/**
 * Reads the answer to one call. A node may answer anything: a page of a gateway, half an answer, the answer to another
 * call; and it may refuse with any mixture of HTTP status, code and words.
 *
 * @throws NoAnswer when it is no JSON-RPC answer to this call
 */
export function singleAnswer(exchanged: Exchanged, id: number): CallAnswer {
  const value = parsed(exchanged.text)
  const refused = refusalIn(value, exchanged)
  if (refused) return refused
  if (!isObject(value) || exchanged.status >= 500) throw noJson(exchanged)
  if (value['id'] !== id) throw new NoAnswer('it answered another call', { isForeign: true })
  if (!('result' in value)) throw new NoAnswer('an answer without a result')
  return { result: value['result'] }
}

/**
 * Reads the answer to several calls with consecutive ids. `no batch`: the endpoint does not take several calls in one
 * request; undefined in place of an answer: it is missing.
 *
 * @throws NoAnswer when it is no JSON-RPC answer
 */
export function batchAnswer(
  exchanged: Exchanged,
  firstId: number,
  count: number,
): 'no batch' | readonly (CallAnswer | undefined)[] {
  const value = parsed(exchanged.text)
  if (!Array.isArray(value)) {
    const refused = refusalIn(value, exchanged)
    if (!refused) throw noJson(exchanged)
    return exchanged.status === 429 ? Array.from({ length: count }, () => refused) : 'no batch'
  }
  const answers: (CallAnswer | undefined)[] = Array.from({ length: count })
  const seen = new Set<number>()
  for (const item of value) {
    const place = isObject(item) ? Number(item['id']) - firstId : -1
    if (!isObject(item) || !Number.isInteger(place) || place < 0 || place >= count) continue
    const answer =
      refusalIn(item, { status: 200, text: '' }) ??
      ('result' in item ? { result: item['result'] } : undefined)
    // Two answers to one call: neither is believed.
    answers[place] = seen.has(place) ? undefined : answer
    seen.add(place)
  }
  return answers.every((answer) => answer === undefined) ? 'no batch' : answers
}

function noJson({ status, retryAfterMs }: Exchanged): NoAnswer {
  return new NoAnswer(`HTTP ${status} without a JSON answer`, { pauseMs: retryAfterMs })
}

/** A refusal in whatever form: a JSON-RPC error, `{"code":429}` under HTTP 200, an HTTP status alone. */
function refusalIn(
  value: unknown,
  { status, text, retryAfterMs }: Exchanged,
): CallAnswer | undefined {
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs }
  const error = isObject(value) ? value['error'] : undefined
  if (isObject(error)) {
    const code = Number(error['code'] ?? 0)
    const message = String(error['message'] ?? 'no reason given')
    const data = error['data']
    return { refused: { code: Number.isFinite(code) ? code : 0, message, data, status }, ...wait }
  }
  if (isObject(value) && 'result' in value && status < 400) return undefined
  const code = isObject(value) ? Number(value['code'] ?? value['status'] ?? value['statusCode']) : 0
  const words = isObject(value) ? (error ?? value['message'] ?? value['detail']) : undefined
  const message = typeof words === 'string' ? words : `HTTP ${status}`
  if (code >= 400 && code < 600 && status < 400)
    return { refused: { code, message, status: code }, ...wait }
  if (typeof error === 'string') return { refused: { code: 0, message, status }, ...wait }
  // A gateway's page is a fault that may pass; any other status is meant.
  if (status < 400 || status >= 500) return undefined
  return { refused: { code: status, message: pageWords(message, text), status }, ...wait }
}

/** The words of a short answer that is no JSON; a page says nothing that is worth repeating. */
function pageWords(message: string, text: string): string {
  const isPage = text.length > 200 || /[<{]/.test(text) || text.trim() === ''
  return isPage ? message : `${message}: ${text.trim()}`
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A page of HTML, a cut answer, an empty body: told by whoever asks for an object.
    return undefined
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
