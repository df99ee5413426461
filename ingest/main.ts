import { parseArgs } from 'node:util'
import { readConfig } from '../src/config.ts'
import { parseChain } from '../src/ledger/chain.ts'
import { KnownError } from '../src/ledger/errors.ts'
import { harmlessText } from '../src/ledger/text.ts'
import { openStore } from '../src/store/open.ts'
import type { Refusal } from './files/refusals.ts'
import { type ImportOptions, type ImportReport, importFiles } from './import.ts'
import { createProgressBar } from './progress.ts'

/**
 * The ingest process: `import` reads files into a store, `worker` follows flagged wallets on a node, `prove` proves what was read. The CLI and
 * the server start it as a child.
 *
 * Exit codes: 0 done, 1 rows refused and nothing stored, 2 wrong usage, 3 unreadable or unknown file, 4 store or
 * node, 70 a bug, 130 interrupted with nothing half-stored.
 */
const [command, ...rest] = process.argv.slice(2)
process.exitCode = await run(command, rest)

async function run(name: string | undefined, args: string[]): Promise<number> {
  try {
    if (name === 'import') return await runImport(args)
    if (name === 'worker') {
      const { runWorkerCommand } = await import('./workerCommand.ts')
      return await runWorkerCommand(args)
    }
    if (name === 'prove') {
      const { runProveCommand } = await import('./proof/proveCommand.ts')
      return await runProveCommand(args)
    }
    throw new KnownError('request.invalid', `there is no ingest command "${name ?? ''}"`, {
      hint: 'Use import, worker or prove.',
    })
  } catch (error) {
    if (!(error instanceof KnownError)) {
      console.error(error)
      return 70
    }
    const hint = error.hint === undefined ? '' : ` — ${error.hint}`
    console.error(`jejak: ${harmlessLines(error.message)}${harmlessText(hint)}`)
    return exitCodeOf(error)
  }
}

function harmlessLines(text: string): string {
  return text.split('\n').map(harmlessText).join('\n')
}

function exitCodeOf(error: KnownError): number {
  if (error.code.startsWith('file.')) return 3
  if (
    error.code.startsWith('store.') ||
    error.code.startsWith('rpc.') ||
    error.code.startsWith('proof.') ||
    error.code.startsWith('chain.')
  )
    return 4
  return 2
}

function readOptions(
  args: string[],
): ImportOptions & { readonly store: string; readonly json: boolean } {
  const { values, positionals } = parsed(args)
  if (positionals.length === 0) throw usage('no file is named', 'Name the files to import.')
  if (values.complete && values.covers)
    throw usage('--complete and --covers exclude each other', 'Give one of them.')
  const blocks = values.blocks === undefined ? undefined : blockRange(values.blocks)
  if ((values.covers === undefined) !== (blocks === undefined)) {
    throw usage(
      '--covers and --blocks go together',
      'Write --covers ACCOUNT --blocks 17000000-17100000.',
    )
  }
  const onError = values['on-error'] ?? 'fail'
  if (onError !== 'fail' && onError !== 'skip')
    throw usage(`--on-error "${onError}"`, 'Give fail or skip.')
  return {
    store: values.store ?? './jejak-data',
    json: values.json ?? false,
    files: positionals,
    complete: values.complete ?? false,
    covers: values.covers ?? [],
    blocks,
    chain: parseChain(values.chain ?? 'eip155:1'),
    onError,
    rejects: values.rejects,
    decimals:
      values.decimals === undefined ? undefined : wholeOption('--decimals', values.decimals, 77),
  }
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        store: { type: 'string' },
        complete: { type: 'boolean' },
        covers: { type: 'string', multiple: true },
        blocks: { type: 'string' },
        chain: { type: 'string' },
        'on-error': { type: 'string' },
        rejects: { type: 'string' },
        decimals: { type: 'string' },
        json: { type: 'boolean' },
      },
    })
  } catch (error) {
    throw usage(
      error instanceof Error ? error.message : String(error),
      '`jejak import --help` lists the options.',
    )
  }
}

function usage(message: string, hint: string): KnownError {
  return new KnownError('request.invalid', message, { hint })
}

function blockRange(text: string): { from: number; to: number } {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(text)
  const range = { from: Number(match?.[1]), to: Number(match?.[2]) }
  if (!match || range.from > range.to)
    throw usage(`--blocks "${text}" is no range`, 'Write it as 17000000-17100000, digits only.')
  return range
}

function wholeOption(name: string, text: string, most: number): number {
  const value = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN
  if (!(value <= most)) throw usage(`${name} "${text}"`, `Give a whole number from 0 to ${most}.`)
  return value
}

async function runImport(args: string[]): Promise<number> {
  const options = readOptions(args)
  // The transaction that is open dies with the process, so nothing is half stored.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const { neo4j } = readConfig(process.env)
  const store = await openStore({
    location: options.store,
    neo4j: { ...neo4j, progress: drawing() },
  })
  const output = options.json ? jsonOutput() : textOutput()
  try {
    const report = await importFiles(store, options, output)
    output.done(report)
    return report.ok ? 0 : 1
  } finally {
    await store.close()
  }
}

/** Relationships are drawn after the files are read, and take longer. */
function drawing(): (done: number, total: number) => void {
  const bar = createProgressBar(process.stderr)
  return (done, total) => {
    bar.show({ done, total, rows: done, unit: 'relationships' })
    if (done >= total) bar.clear()
  }
}

interface ImportOutput {
  progress(state: {
    readonly bytes: number
    readonly totalBytes: number
    readonly rows: number
  }): void
  refused(refusal: Refusal): void
  done(report: ImportReport): void
}

function jsonOutput(): ImportOutput {
  const write = (record: unknown): void => {
    process.stdout.write(`${JSON.stringify(record)}\n`)
  }
  let last = 0
  return {
    progress(state) {
      if (performance.now() - last < 200) return
      last = performance.now()
      write({ type: 'progress', ...state })
    },
    refused: (refusal) => write({ type: 'rejected', ...refusal }),
    done: (report) => write({ type: 'done', ...report }),
  }
}

function textOutput(): ImportOutput {
  const bar = createProgressBar(process.stderr)
  return {
    progress: ({ bytes, totalBytes, rows }) =>
      bar.show({ done: bytes, total: totalBytes, rows, unit: 'rows' }),
    refused(refusal) {
      bar.clear()
      const place = `${refusal.file}:${refusal.line}: ${refusal.field} "${refusal.value}"`
      console.error(harmlessText(`${place}: ${refusal.message} — ${refusal.hint}`))
    },
    done(report) {
      bar.clear()
      for (const line of reportLines(report)) console.log(line)
    },
  }
}

function reportLines(report: ImportReport): string[] {
  const number = (value: number): string => value.toLocaleString('en')
  const lines = report.files.map(
    ({ file, format, rejected }) =>
      `${file}: ${format}${rejected > 0 ? `, ${number(rejected)} rows refused` : ''}`,
  )
  if (!report.ok)
    return [
      ...lines,
      `Nothing was stored: ${number(report.rejected)} rows were refused. Correct them, or give --on-error skip.`,
    ]
  lines.push(
    `${number(report.added)} transfers stored, ${number(report.known)} were known, ${number(report.superseded)} superseded`,
  )
  if (report.rejected > 0)
    lines.push(`${number(report.rejected)} rows refused, written to ${report.rejectsWrittenTo}`)
  if (report.covered)
    lines.push(
      `Coverage declared (A0) for ${number(report.covered.accounts)} accounts: ${report.covered.intervals.join(', ')}`,
    )
  for (const note of report.notes) lines.push(`Note: ${note}`)
  for (const finding of report.findings.slice(0, 20))
    lines.push(`Finding (${finding.kind}): ${harmlessText(finding.text)}`)
  if (report.findings.length > 20)
    lines.push(`… and ${report.findings.length - 20} more findings; \`jejak check\` lists them`)
  return lines
}
