import { type Command, InvalidArgumentError } from 'commander'
import type { Config } from '../config.ts'

/** What every command can be told. */
export interface GlobalOptions {
  readonly store: string
  readonly json?: true
}

/** What commands are registered with. */
export interface ProgramContext {
  readonly program: Command
  readonly config: Config
}

/** Options common to all commands, wherever on the line they stood. */
export function globals(command: Command): GlobalOptions {
  return command.optsWithGlobals<GlobalOptions>()
}

export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    throw new InvalidArgumentError(`give a whole number from ${least} to ${most}`)
  }
}

/** Collects the values of an option that may be given again and again, or with several values. */
export function collected(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value]
}
