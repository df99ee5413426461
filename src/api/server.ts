import { serve } from '@hono/node-server'
import type { Config } from '../config.ts'
import { KnownError } from '../ledger/errors.ts'
import type { Log } from '../log.ts'
import { createApp } from './app.ts'
import { isLoopback } from './guard.ts'
import type { Knowledge } from './knowledge.ts'

export interface RunningServer {
  readonly url: string
  /** Stops taking requests, lets those under way finish (at most five seconds). */
  close(): Promise<void>
}

/**
 * Serves the API.
 *
 * @throws KnownError `config.invalid` for an address that others can reach: that needs keys, which this version
 * does not have.
 */
export async function startServer(
  knowledge: Knowledge,
  config: Config,
  log: Log,
): Promise<RunningServer> {
  if (!isLoopback(config.host)) {
    throw new KnownError(
      'config.invalid',
      `JEJAK_HOST ${config.host} can be reached by others, and there are no keys`,
      {
        hint: 'Leave JEJAK_HOST at 127.0.0.1 and put a proxy with authentication before it.',
      },
    )
  }
  let port = config.port
  const app = await createApp(knowledge, { config, log, port: () => port, plans: true })
  return new Promise((resolve, reject) => {
    const server = serve(
      {
        fetch: app.fetch,
        hostname: config.host,
        port: config.port,
        serverOptions: { requestTimeout: 300_000, headersTimeout: 15_000 },
      },
      (address) => {
        port = address.port
        const name = config.host.includes(':')
          ? `[${config.host.replace(/[[\]]/g, '')}]`
          : config.host
        resolve({
          url: `http://${name}:${port}`,
          close: () =>
            new Promise((done) => {
              const force = setTimeout(
                () => 'closeAllConnections' in server && server.closeAllConnections(),
                5000,
              )
              server.close(() => {
                clearTimeout(force)
                done()
              })
              if ('closeIdleConnections' in server) server.closeIdleConnections()
            }),
        })
      },
    )
    server.once('error', (error: NodeJS.ErrnoException) => {
      const busy = error.code === 'EADDRINUSE'
      reject(
        busy
          ? new KnownError('config.invalid', `port ${config.port} is taken by another program`, {
              hint: 'Set JEJAK_PORT to a free port, or 0 for any.',
            })
          : error,
      )
    })
  })
}
