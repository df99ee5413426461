import { KnownError } from '../ledger/errors.ts'
import { type CopyProgress, copyStore } from '../store/copyStore.ts'
import { isNeo4j, openStore } from '../store/open.ts'
import { globals, type ProgramContext, placeOf } from './options.ts'

/** Commands about stores as a whole. */
export function registerStoreCommands({ program, config }: ProgramContext): void {
  const group = program.command('store').description('move a store, or bring it up to this version')
  group
    .command('copy')
    .argument('<from>', 'folder or neo4j://host:port')
    .argument('<to>', 'folder or neo4j://host:port: empty, or a copy that was interrupted')
    .description('bring everything into another store, and compare the digests of both')
    .action(async (from: string, to: string, _: unknown, command: typeof program) => {
      const stop = new AbortController()
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
      const source = await openStore(placeOf({ ...config, store: from }))
      try {
        const target = await openStore(placeOf({ ...config, store: to }))
        try {
          const progress = progressLine(process.stderr)
          const report = await copyStore(source, target, { progress, signal: stop.signal })
          if (globals(command).json) console.log(JSON.stringify(report))
          else
            console.log(
              `${report.copied.toLocaleString('en')} log rows copied, ${report.found.toLocaleString('en')} were there. Both stores have the digest ${report.digest}`,
            )
        } finally {
          await target.close()
        }
      } catch (error) {
        if (!stop.signal.aborted) throw error
        console.error('jejak: interrupted — the same command goes on where it stopped')
        process.exitCode = 130
      } finally {
        await source.close()
      }
    })
  group
    .command('migrate')
    .description('bring a shared store of an older version up to this one')
    .action(async (_: unknown, command: typeof program) => {
      const { place, json } = globals(command)
      if (!isNeo4j(place.location)) {
        throw new KnownError('request.invalid', `${place.location} is a folder`, {
          hint: 'Only a store in Neo4j is migrated by command; a folder is brought up when it is opened.',
        })
      }
      const { migrateNeo4jStore } = await import('../store/neo4j.ts')
      const { from, to } = await migrateNeo4jStore(place.location, place.neo4j)
      if (json) console.log(JSON.stringify({ from, to }))
      else
        console.log(from === to ? `The schema is ${to} already.` : `Schema ${from} became ${to}.`)
    })
}

/** A line that replaces itself on a terminal, and one now and then elsewhere. */
function progressLine(output: NodeJS.WriteStream): (progress: CopyProgress) => void {
  const everyMs = output.isTTY ? 100 : 5_000
  let last = performance.now() - (output.isTTY ? everyMs : 0)
  return ({ step, done, total }) => {
    const now = performance.now()
    if (now - last < everyMs && done < total) return
    if (!output.isTTY && now - last < everyMs) return
    last = now
    const text = `${step}: ${done.toLocaleString('en')} of ${total.toLocaleString('en')} log rows`
    output.write(output.isTTY ? `\r\x1b[2K${text}${done >= total ? '\n' : ''}` : `${text}\n`)
  }
}
