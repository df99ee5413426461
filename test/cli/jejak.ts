import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'

const program = join(resolve(import.meta.dirname, '../..'), 'src/cli.ts')

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the command line as its user does: a process of its own. */
export function jejak(...args: string[]): Promise<Ran> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', program, ...args],
      { maxBuffer: 1 << 28 },
      (error, out, err) => {
        done({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, out, err })
      },
    )
  })
}
