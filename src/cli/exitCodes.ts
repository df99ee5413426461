import { KnownError } from '../ledger/errors.ts'
import { harmlessText } from '../ledger/text.ts'

/** Exit codes of every command; `jejak --help` lists them. */
export const exitCodes = {
  ok: 0,
  refused: 1,
  usage: 2,
  unreadable: 3,
  store: 4,
  notFound: 5,
  bug: 70,
  interrupted: 130,
} as const

const usageCodes =
  /^(account|amount|asset|chain|transfer|config|request|trace|cursor|seed\.(ambiguous|mixed|worthless))/

export function exitCodeOf(error: KnownError): number {
  if (
    error.code.startsWith('file.') ||
    error.code === 'tag.invalid' ||
    error.code === 'token-list.invalid' ||
    error.code === 'price.invalid' ||
    error.code === 'bridge.invalid'
  )
    return exitCodes.unreadable
  if (error.code.startsWith('store.') || error.code.startsWith('rpc.')) return exitCodes.store
  if (error.code.endsWith('not-found')) return exitCodes.notFound
  return usageCodes.test(error.code) ? exitCodes.usage : exitCodes.refused
}

/** One line for a person: what happened, then what to do. */
export function errorLine(error: KnownError): string {
  const lines = error.message.split('\n').map(harmlessText).join('\n')
  const candidates = error.facts['candidates'] ?? error.facts['assets']
  const more = candidates === undefined ? '' : ` (${harmlessText(String(candidates))})`
  return `jejak: ${lines}${more}${error.hint === undefined ? '' : ` — ${harmlessText(error.hint)}`}`
}

/** Reports whatever a command threw and says with which code to exit. */
export function report(error: unknown): number {
  if (error instanceof KnownError) {
    console.error(errorLine(error))
    return exitCodeOf(error)
  }
  console.error('jejak: this is a bug; please report it with what follows')
  console.error(error)
  return exitCodes.bug
}
