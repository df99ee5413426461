import { type Command, InvalidArgumentError } from 'commander'
import type { KnowledgePlace } from '../api/knowledge.ts'
import type { Config } from '../config.ts'

/** What every command can be told. */
export interface GlobalOptions {
  readonly store: string
  readonly json?: true
  /** The store with what is needed to open it. */
  readonly place: KnowledgePlace
}

/** What commands are registered with. */
export interface ProgramContext {
  readonly program: Command
  readonly config: Config
}

/** Options common to all commands, wherever on the line they stood. */
export function globals(command: Command): GlobalOptions {
  const given = command.optsWithGlobals<GlobalOptions & { readonly settings: Config }>()
  return { ...given, place: placeOf({ ...given.settings, store: given.store }) }
}

export function placeOf({ store, folder, neo4j, maxGraphBytes }: Config): KnowledgePlace {
  const memory = maxGraphBytes === undefined ? {} : { maxGraphBytes }
  return { location: store, folder, neo4j, ...memory }
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
