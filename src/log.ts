import pino from 'pino'

/** What the rest of the code needs from a logger. */
export interface Log {
  info(fields: LogFields): void
  warn(fields: LogFields): void
  error(fields: LogFields): void
}

/** `event` is a fixed name to search for; what varies goes in the other fields, units in their names. */
type LogFields = { readonly event: string; readonly error?: unknown } & Readonly<
  Record<string, unknown>
>

/** Structured logs on stderr, secrets redacted: stdout belongs to answers. */
export function createLog(level: string): Log {
  return pino(
    {
      level,
      redact: ['rpcUrl', '*.rpcUrl', 'apiKey', '*.apiKey', 'authorization', '*.authorization'],
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    pino.destination(2),
  )
}
