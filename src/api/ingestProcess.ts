import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The entry of the ingest process, which reads chains and files; this program never imports it. */
export const ingestEntry = fileURLToPath(new URL('../../ingest/main.ts', import.meta.url))

export function nodeArguments(args: readonly string[]): string[] {
  return ['--disable-warning=ExperimentalWarning', ingestEntry, ...args]
}

/** Runs the ingest process with this terminal as its own, passing signals on. Returns its exit code. */
export function runIngest(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, nodeArguments(args), { stdio: 'inherit' })
    const pass = (signal: NodeJS.Signals): void => {
      child.kill(signal)
    }
    process.on('SIGINT', pass)
    process.on('SIGTERM', pass)
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      process.off('SIGINT', pass)
      process.off('SIGTERM', pass)
      resolve(signal === null ? (code ?? 70) : 130)
    })
  })
}
