import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { type Account, parseAccount } from '../src/ledger/account.ts'
import type { ChainId } from '../src/ledger/chain.ts'
import type { Coverage, CoverageOfMany } from '../src/ledger/coverage.ts'
import { KnownError } from '../src/ledger/errors.ts'
import type { Finding } from '../src/ledger/reconcile.ts'
import { kinds } from '../src/ledger/transfer.ts'
import type { Store } from '../src/store/store.ts'
import { detectFormat, type FileFormat } from './files/detect.ts'
import { readEthereumEtl } from './files/ethereumEtl.ts'
import { readEtherscan } from './files/etherscan.ts'
import { readJejakCsv } from './files/jejakCsv.ts'
import { contentHash, expandFiles } from './files/readFile.ts'
import { createRefusals, type Refusal } from './files/refusals.ts'
import { createRowSink, type SeenAccounts } from './files/rowSink.ts'
import { createSwapLogs, keepPayments } from './files/swapLogs.ts'
import { tokenDecimals } from './files/tokenDecimals.ts'

export interface ImportOptions {
  readonly files: readonly string[]
  /** These files hold every transfer of every address in them, from their lowest to their highest block. */
  readonly complete: boolean
  readonly covers: readonly string[]
  readonly blocks: { readonly from: number; readonly to: number } | undefined
  /** Chain of files that name none. */
  readonly chain: ChainId
  readonly onError: 'fail' | 'skip'
  readonly rejects: string | undefined
  /** Decimals of tokens that no list knows. */
  readonly decimals: number | undefined
}

export interface ImportReport {
  readonly ok: boolean
  readonly files: readonly {
    readonly file: string
    readonly format: string
    readonly rejected: number
  }[]
  readonly rows: number
  readonly added: number
  readonly known: number
  readonly superseded: number
  readonly rejected: number
  readonly rejectsWrittenTo: string | null
  readonly findings: readonly Finding[]
  readonly covered: { readonly accounts: number; readonly intervals: readonly string[] } | null
  readonly notes: readonly string[]
}

export interface ImportEvents {
  progress(state: {
    readonly bytes: number
    readonly totalBytes: number
    readonly rows: number
  }): void
  refused(refusal: Refusal): void
}

/** Undoes the import without being an error of its own. */
class NothingStored extends Error {}

/**
 * Reads files into a store, as one source and one transaction: all of it is stored or nothing. The source is named
 * by the content of the files, so the same files again, renamed or compressed, change nothing.
 *
 * @throws KnownError `file.*`, `account.invalid`, `store.*`
 */
export async function importFiles(
  store: Store,
  options: ImportOptions,
  events: ImportEvents,
): Promise<ImportReport> {
  const files = expandFiles(options.files)
  const formats: { file: string; format: FileFormat }[] = []
  for (const file of files) formats.push({ file, format: await detectFormat(file) })
  const covers = options.covers.map((text) =>
    parseAccount(text, text.includes(':') ? undefined : options.chain),
  )
  const source = await sourceName(files)
  const rejects =
    options.onError === 'skip'
      ? (options.rejects ?? `${basename(files[0] ?? 'import')}.rejected.csv`)
      : undefined
  const refusals = createRefusals((refusal) => events.refused(refusal), rejects)
  const totalBytes = files.reduce((sum, file) => sum + statSync(file).size, 0)
  const decimalsOf = await tokenDecimals(store, options.decimals)
  const notes: string[] = []
  const swaps = createSwapLogs()
  let report: Omit<ImportReport, 'ok' | 'rejectsWrittenTo'> | undefined
  try {
    await store.atomically(async (appender) => {
      const sink = createRowSink(appender, { source, collectAccounts: options.complete }, refusals)
      let bytes = 0
      const raw = (count: number): void => {
        bytes += count
        events.progress({ bytes, totalBytes, rows: sink.totals.rows })
      }
      const context = { sink, refusals, chain: options.chain, raw, notes, swaps }
      for (const { file } of of(formats, 'jejak')) await readJejakCsv(file, sink, refusals, { raw })
      await readEthereumEtl(of(formats, 'ethereum-etl'), context)
      await readEtherscan(of(formats, 'etherscan'), { ...context, decimalsOf })
      let claims: readonly (Coverage | CoverageOfMany)[] = []
      await sink.finish((seen) => {
        claims = claimsOf(options, { seen, source, covers })
        return claims
      })
      report = {
        files: formats.map(({ file, format }) => ({
          file,
          format: format.name,
          rejected: refusals.countOf(file),
        })),
        ...sink.totals,
        rejected: refusals.count,
        covered: coveredText(claims),
        notes,
      }
      if (refusals.count > 0 && options.onError === 'fail') throw new NothingStored()
    })
  } catch (error) {
    if (!(error instanceof NothingStored)) throw error
  } finally {
    await refusals.close()
  }
  const ok = refusals.count === 0 || options.onError === 'skip'
  const nothing = { added: 0, known: 0, superseded: 0, findings: [], covered: null }
  if (!report) throw new KnownError('file.unreadable', 'the import ended without a report')
  if (ok) await keepPayments(store, source, swaps.records)
  return { ok, ...report, ...(ok ? {} : nothing), rejectsWrittenTo: refusals.writtenTo ?? null }
}

function of(
  formats: readonly { readonly file: string; readonly format: FileFormat }[],
  family: FileFormat['family'],
): { readonly file: string; readonly format: FileFormat }[] {
  return formats.filter(({ format }) => format.family === family)
}

async function sourceName(files: readonly string[]): Promise<string> {
  const hashes: string[] = []
  for (const file of files) hashes.push(await contentHash(file))
  const all = createHash('sha256').update(hashes.sort().join('\n')).digest('hex')
  return `file:${all.slice(0, 16)}`
}

function claimsOf(
  options: ImportOptions,
  told: {
    readonly seen: SeenAccounts
    readonly source: string
    readonly covers: readonly Account[]
  },
): (Coverage | CoverageOfMany)[] {
  const { source } = told
  if (options.complete) {
    return [...told.seen.chains].flatMap(([chain, { accounts, lowest, highest }]) =>
      highest < 0
        ? []
        : [
            {
              chain: chain as ChainId,
              accounts: [...accounts],
              kinds,
              fromBlock: lowest,
              toBlock: highest,
              assurance: 0 as const,
              source,
            },
          ],
    )
  }
  const { blocks } = options
  if (!blocks) return []
  return told.covers.flatMap((account) =>
    kinds.map((kind) => ({
      account,
      kind,
      fromBlock: blocks.from,
      toBlock: blocks.to,
      assurance: 0 as const,
      source,
    })),
  )
}

function coveredText(claims: readonly (Coverage | CoverageOfMany)[]): ImportReport['covered'] {
  if (claims.length === 0) return null
  const accounts = new Set(
    claims.flatMap((claim) => ('accounts' in claim ? claim.accounts : [claim.account])),
  )
  const chains = claims.map((claim) => {
    const chain =
      'accounts' in claim ? claim.chain : claim.account.slice(0, claim.account.lastIndexOf(':'))
    return `${chain} ${claim.fromBlock}-${claim.toBlock}`
  })
  return { accounts: accounts.size, intervals: [...new Set(chains)] }
}
