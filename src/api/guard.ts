import { createMiddleware } from 'hono/factory'
import { KnownError } from '../ledger/errors.ts'
import { problem } from './problem.ts'

const loopback = new Set(['localhost', '127.0.0.1', '[::1]', '::1'])

/** True for names by which only this machine is reached. */
export function isLoopback(host: string): boolean {
  return loopback.has(host.toLowerCase())
}

/**
 * Without keys the service is for this machine alone: a page that a browser was tricked into loading may resolve
 * its own name to 127.0.0.1, but cannot make the browser send our Host, or no Origin, with it.
 */
export function hostGuard(port: () => number) {
  return createMiddleware(async (c, next) => {
    const host = c.req.header('host')
    const origin = c.req.header('origin')
    if (host !== undefined && !isOurs(host, port())) return refuse(c, 'Host', host)
    if (origin !== undefined && !isOurOrigin(origin, port())) return refuse(c, 'Origin', origin)
    return next()
  })
}

function refuse(c: Parameters<typeof problem>[0], name: string, value: string): Response {
  return problem(
    c,
    new KnownError(
      'request.forbidden-host',
      `${name} "${value.slice(0, 100)}" is not this service`,
      {
        hint: 'Call it by 127.0.0.1 or localhost and its port.',
      },
    ),
  )
}

function isOurs(host: string, port: number): boolean {
  const match = /^(\[[0-9a-f:]+\]|[^:]+)(?::(\d+))?$/i.exec(host)
  if (!match || !isLoopback(match[1] ?? '')) return false
  return match[2] === undefined || Number(match[2]) === port
}

function isOurOrigin(origin: string, port: number): boolean {
  const match = /^http:\/\/(.+)$/.exec(origin)
  return match !== null && isOurs(match[1] ?? '', port)
}

/** Headers for every answer: nothing is framed, sniffed, cached by others or referred to. */
export const securityHeaders = createMiddleware(async (c, next) => {
  await next()
  c.header('x-content-type-options', 'nosniff')
  c.header('x-frame-options', 'DENY')
  c.header('referrer-policy', 'no-referrer')
  c.header('cache-control', 'no-store')
  c.header('cross-origin-resource-policy', 'same-origin')
  if (!c.res.headers.has('content-security-policy'))
    c.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
})
