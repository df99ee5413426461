import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip, createInflate } from 'node:zlib'
import { KnownError } from '../../src/ledger/errors.ts'
import { type GuardOptions, guardAddress } from './addressGuard.ts'

/**
 * One HTTP exchange with an endpoint. It stands on node:http rather than on fetch, since only there the address that
 * a name stands for can be judged at each connection without another package, and compressed bytes be counted.
 */
export type Exchange = (body: string, signal?: AbortSignal) => Promise<Exchanged>

export interface Exchanged {
  readonly status: number
  readonly text: string
  /** How long the endpoint asks to be left alone, milliseconds; undefined where it does not say. */
  readonly retryAfterMs?: number
}

export interface ExchangeOptions extends GuardOptions {
  /** Bytes of one answer, before and after decompression. */
  readonly maxAnswerBytes: number
  /** Milliseconds until an answer must be complete, however slowly it drips. */
  readonly timeoutMs: number
}

/** No answer, for a reason that may pass. The reason is a code or some words of ours, never a URL. */
export class NoAnswer extends Error {
  readonly reason: string
  readonly timedOut: boolean
  /** How long the endpoint asks to be left alone. */
  readonly pauseMs: number | undefined
  /** Something came that is an answer, and not to what was asked. */
  readonly isForeign: boolean

  constructor(reason: string, more: Partial<Omit<NoAnswer, 'reason' | keyof Error>> = {}) {
    super(reason)
    this.reason = reason
    this.timedOut = more.timedOut ?? false
    this.pauseMs = more.pauseMs
    this.isForeign = more.isForeign ?? false
  }
}

/** The answer is larger than is taken: a smaller question may help. */
export class AnswerTooLarge extends KnownError {
  constructor(maxBytes: number) {
    super('rpc.invalid-answer', `the node's answer is larger than ${maxBytes} bytes`, {
      facts: { maxBytes },
      hint: 'Ask for fewer blocks at once.',
    })
  }
}

/**
 * Posts bodies to one URL over connections that stay open. No redirect is followed.
 *
 * The exchange throws {@link NoAnswer}, {@link AnswerTooLarge}, or KnownError `rpc.unavailable` for a redirect and
 * `rpc.forbidden-address`.
 */
export function createExchange(address: string, options: ExchangeOptions): Exchange {
  const url = new URL(address)
  const guard = guardAddress(url.hostname, options)
  const isSecure = url.protocol === 'https:'
  const agent = new (isSecure ? SecureAgent : PlainAgent)({ keepAlive: true, maxSockets: 32 })
  const target = {
    agent,
    method: 'POST',
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port,
    path: `${url.pathname}${url.search}`,
    lookup: guard.lookup,
    ...(url.username === ''
      ? {}
      : { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` }),
  }

  function send(body: string, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const outgoing = (isSecure ? secureRequest : plainRequest)({
        ...target,
        signal,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          accept: 'application/json',
          'accept-encoding': 'gzip, deflate',
        },
      })
      // For as long as it lives: a connection may break after its answer was read, too.
      outgoing.on('error', reject)
      outgoing.once('response', (incoming) => {
        incoming.on('error', reject)
        try {
          guard.checkConnected(incoming.socket.remoteAddress)
          resolve(incoming)
        } catch (error) {
          outgoing.destroy()
          reject(error)
        }
      })
      outgoing.end(body)
    })
  }

  return async (body, given) => {
    const timeout = AbortSignal.timeout(options.timeoutMs)
    const signal = given ? AbortSignal.any([timeout, given]) : timeout
    try {
      const incoming = await send(body, signal)
      const status = incoming.statusCode ?? 0
      if (status >= 300 && status < 400) {
        incoming.destroy()
        throw redirected(status)
      }
      const text = await limitedText(incoming, options.maxAnswerBytes)
      const retryAfterMs = retryAfter(incoming)
      return { status, text, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
    } catch (error) {
      if (error instanceof KnownError || error instanceof NoAnswer) throw error
      given?.throwIfAborted()
      if (timeout.aborted)
        throw new NoAnswer(`nothing within ${options.timeoutMs} ms`, { timedOut: true })
      throw new NoAnswer(faultCode(error))
    }
  }
}

function redirected(status: number): KnownError {
  return new KnownError('rpc.unavailable', `the node sends calls elsewhere (HTTP ${status})`, {
    facts: { status },
    hint: 'Redirects are not followed. Configure the address that answers.',
  })
}

/** `ECONNREFUSED` and the like; messages are not used, since they may carry what stands in the URL. */
function faultCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^[A-Z][A-Z0-9_]{2,40}$/.test(code) ? code : 'the connection failed'
}

/** Reads a body up to a limit, as it comes: neither a long answer nor a bomb is ever held whole. */
async function limitedText(incoming: IncomingMessage, maxBytes: number): Promise<string> {
  const declared = Number(incoming.headers['content-length'] ?? 0)
  if (declared > maxBytes) {
    incoming.destroy()
    throw new AnswerTooLarge(maxBytes)
  }
  let compressed = 0
  const body = decompressed(incoming)
  if (body !== incoming) {
    incoming.on('data', (chunk: Buffer) => {
      compressed += chunk.length
      if (compressed > maxBytes) body.destroy(new AnswerTooLarge(maxBytes))
    })
  }
  const decoder = new TextDecoder()
  const parts: string[] = []
  let size = 0
  try {
    for await (const chunk of body) {
      size += (chunk as Buffer).length
      if (size > maxBytes) throw new AnswerTooLarge(maxBytes)
      parts.push(decoder.decode(chunk as Buffer, { stream: true }))
    }
  } finally {
    if (!incoming.complete || size > maxBytes) incoming.destroy()
  }
  parts.push(decoder.decode())
  return parts.join('')
}

function decompressed(incoming: IncomingMessage): Readable {
  const coding = (incoming.headers['content-encoding'] ?? 'identity').toLowerCase()
  if (coding === 'identity' || coding === '') return incoming
  if (coding !== 'gzip' && coding !== 'x-gzip' && coding !== 'deflate') {
    incoming.destroy()
    throw new NoAnswer('an unknown compression')
  }
  const inflate = coding === 'deflate' ? createInflate() : createGunzip()
  // Faults of either come out where the body is read.
  pipeline(incoming, inflate, () => undefined)
  return inflate
}

/** `Retry-After` in seconds or as a date; a date is measured on the endpoint's own clock where it tells the time. */
function retryAfter({ headers }: IncomingMessage): number | undefined {
  const text = headers['retry-after']
  if (text === undefined) return undefined
  const ownNow = Date.parse(headers.date ?? '')
  const ms = /^\d+(?:\.\d+)?$/.test(text.trim())
    ? Number(text) * 1000
    : Date.parse(text) - (Number.isFinite(ownNow) ? ownNow : Date.now())
  return Number.isFinite(ms) && ms > 0 ? ms : undefined
}
