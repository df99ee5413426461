import { basename } from 'node:path'
import { type Account, parseAccount } from '../ledger/account.ts'
import type { ChainId } from '../ledger/chain.ts'
import { splitCsvLine } from '../ledger/csvLine.ts'
import { KnownError } from '../ledger/errors.ts'
import { chainByName } from '../ledger/nativeCoins.ts'
import type { Tag } from '../ledger/tag.ts'
import { harmlessText } from '../ledger/text.ts'
import type { Store } from '../store/store.ts'
import { secondsOfIso } from './isoTime.ts'
import { readText } from './readText.ts'

export interface TagImportOptions {
  /** Rank of the source among the operator's sources: 0 leads. Default 10. */
  readonly sourceRank?: number
  /** With this, the tags end no trace. */
  readonly noStops?: boolean
  /** Chain of addresses in files that name none. */
  readonly chain?: ChainId
}

export interface TagImportReport {
  readonly files: readonly {
    readonly file: string
    readonly rows: number
    readonly ignoredColumns: readonly string[]
  }[]
  readonly rows: number
  readonly added: number
  /** Tags that were there before and were written again. */
  readonly replaced: number
  /** Rows of these files that say the same as another row of theirs. */
  readonly repeated: number
}

/** The middle of the TagPack scale: what an operator brings is better than a crawl and less than a proof. */
const usualConfidence = 50

interface BadRow {
  readonly file: string
  readonly line: number
  readonly field: string
  readonly value: string
  readonly message: string
}

interface FileTags {
  readonly file: string
  readonly tags: readonly Tag[]
  readonly ignoredColumns: readonly string[]
  readonly bad: readonly BadRow[]
}

/**
 * Reads tags from CSV (`address,chain,label,category,source[,confidence][,from][,to]`, other columns are ignored
 * and named) and from OFAC lists (JSON array or one address a line, chain from the file's name). All or none.
 *
 * @throws KnownError `tag.invalid` naming the first bad rows, `file.unreadable`
 */
export async function importTags(
  store: Pick<Store, 'putTags'>,
  files: readonly string[],
  options: TagImportOptions = {},
): Promise<TagImportReport> {
  const read = files.map((file) => readTags(file, options))
  const bad = read.flatMap((file) => file.bad)
  if (bad.length > 0) throw badRows(bad)
  const all = read.flatMap((file) => file.tags)
  const distinct = new Map(
    all.map((tag) => [`${tag.account}\n${tag.source}\n${tag.category}\n${tag.label}`, tag]),
  )
  const { added, replaced } = await store.putTags([...distinct.values()])
  return {
    files: read.map(({ file, tags, ignoredColumns }) => ({
      file,
      rows: tags.length,
      ignoredColumns,
    })),
    rows: all.length,
    added,
    replaced,
    repeated: all.length - distinct.size,
  }
}

function badRows(bad: readonly BadRow[]): KnownError {
  const shown = bad
    .slice(0, 20)
    .map((row) => `${row.file}:${row.line} ${row.field} "${row.value}": ${row.message}`)
  const more = bad.length > shown.length ? `\n… and ${bad.length - shown.length} more` : ''
  return new KnownError(
    'tag.invalid',
    `${bad.length} rows are no tags:\n${shown.join('\n')}${more}`,
    {
      facts: {
        rows: bad.length,
        file: bad[0]?.file ?? '',
        line: bad[0]?.line ?? 0,
        field: bad[0]?.field ?? '',
      },
      hint: 'Correct the rows and import again; nothing was stored.',
    },
  )
}

function readTags(file: string, options: TagImportOptions): FileTags {
  const text = readText(file)
  const first = text.slice(0, 4096).trimStart()
  if (first.startsWith('[')) return readList(file, jsonList(file, text), options)
  const header = splitCsvLine(text.slice(0, lineEnd(text)).replace(/\r$/, '')) ?? []
  if (header.includes('address')) return readCsv(file, text, options)
  return readList(
    file,
    text.split('\n').map((line) => line.trim()),
    options,
  )
}

function lineEnd(text: string): number {
  const at = text.indexOf('\n')
  return at < 0 ? text.length : at
}

function jsonList(file: string, text: string): string[] {
  try {
    const list: unknown = JSON.parse(text)
    if (Array.isArray(list)) return list.map(String)
  } catch (error) {
    throw new KnownError('file.unreadable', `${file} is not valid JSON`, {
      facts: { file },
      cause: error,
    })
  }
  throw new KnownError('file.unknown-format', `${file} is not a list of addresses`, {
    facts: { file },
    hint: 'Tags come as CSV with a header, or as a JSON array or text file of addresses.',
  })
}

const columns = [
  'address',
  'chain',
  'label',
  'category',
  'source',
  'confidence',
  'from',
  'to',
] as const
type Column = (typeof columns)[number]
const needed: readonly Column[] = ['address', 'chain', 'label', 'category', 'source']

function readCsv(file: string, text: string, options: TagImportOptions): FileTags {
  const lines = text.split('\n')
  const header = (splitCsvLine((lines[0] ?? '').replace(/\r$/, '')) ?? []).map((name) =>
    name.trim(),
  )
  const missing = needed.filter(
    (name) => !header.includes(name) && !(name === 'chain' && options.chain),
  )
  if (missing.length > 0) {
    throw new KnownError('file.unknown-format', `${file} has no column ${missing.join(', ')}`, {
      facts: { file, missing: missing.join(' ') },
      hint: `A tag file has the columns ${needed.join(',')} and optionally confidence, from, to.`,
    })
  }
  const place = new Map(columns.map((name) => [name, header.indexOf(name)]))
  const tags: Tag[] = []
  const bad: BadRow[] = []
  for (let i = 1; i < lines.length; i++) {
    const line = (lines[i] as string).replace(/\r$/, '')
    if (line === '') continue
    const cells = splitCsvLine(line)
    const cell = (name: Column): string => cells?.[place.get(name) ?? -1]?.trim() ?? ''
    if (cells?.length !== header.length) {
      const message = `the row has ${cells?.length ?? 'unclosed'} cells, the header ${header.length}`
      bad.push({
        file,
        line: i + 1,
        field: 'row',
        value: harmlessText(line.slice(0, 100)),
        message,
      })
      continue
    }
    const tag = tagOfCells(cell, options)
    if ('field' in tag) bad.push({ file, line: i + 1, ...tag })
    else tags.push(tag)
  }
  const ignoredColumns = header.filter((name) => !(columns as readonly string[]).includes(name))
  return { file, tags, ignoredColumns, bad }
}

type CellFault = Pick<BadRow, 'field' | 'value' | 'message'>

function tagOfCells(cell: (name: Column) => string, options: TagImportOptions): Tag | CellFault {
  const fault = (field: Column, message: string): CellFault => ({
    field,
    value: harmlessText(cell(field)),
    message,
  })
  const chain = cell('chain') === '' ? options.chain : chainByName(cell('chain'))
  if (chain === undefined)
    return fault('chain', 'give a CAIP-2 chain such as eip155:1, or a known name such as ethereum')
  const account = accountOf(cell('address'), chain)
  if (account === undefined) return fault('address', `this is no address of ${chain}`)
  if (cell('source') === '') return fault('source', 'every statement needs a source')
  const confidence = cell('confidence') === '' ? usualConfidence : Number(cell('confidence'))
  if (!Number.isInteger(confidence) || confidence < 0 || confidence > 100) {
    return fault('confidence', 'give a whole number from 0 to 100')
  }
  const from = timeOf(cell('from'))
  const to = timeOf(cell('to'))
  if (Number.isNaN(from))
    return fault(
      'from',
      'give seconds since 1970, a date such as 2020-01-31, or a time with its zone',
    )
  if (Number.isNaN(to))
    return fault(
      'to',
      'give seconds since 1970, a date such as 2020-01-31, or a time with its zone',
    )
  if (from !== undefined && to !== undefined && to <= from)
    return fault('to', 'a statement ends after it begins')
  return {
    account,
    label: cell('label'),
    category: cell('category'),
    source: cell('source'),
    confidence,
    sourceRank: options.sourceRank ?? 10,
    mayStop: options.noStops !== true,
    ...(from === undefined ? {} : { validFrom: from }),
    ...(to === undefined ? {} : { validTo: to }),
  }
}

function accountOf(text: string, chain: ChainId): Account | undefined {
  try {
    return parseAccount(text, chain)
  } catch {
    // The caller names the field, the value and what to do.
    return undefined
  }
}

/** Undefined where nothing is stated, NaN where it cannot be read. */
function timeOf(text: string): number | undefined {
  if (text === '') return undefined
  if (/^(?:0|\d{5,12})$/.test(text)) return Number(text)
  return secondsOfIso(text)
}

/** Chains of the suffixes of OFAC's lists by currency. USDC and USDT are lists of addresses of several chains. */
const listChains: Readonly<Record<string, string>> = {
  ETH: 'eip155:1',
  USDC: 'eip155:1',
  USDT: 'eip155:1',
  BSC: 'eip155:56',
  ARB: 'eip155:42161',
  ETC: 'eip155:61',
  TRX: 'tron:0x2b6653dc',
  XBT: 'bip122:000000000019d6689c085ae165831e93',
  LTC: 'bip122:12a765e31ffd4059bada1e25190f6e98',
  BCH: 'bip122:000000000000000000651ef99cb9fcbe',
  DASH: 'bip122:00000ffd590b1485b3caadc19b22e637',
  ZEC: 'bip122:00040fe8ec8471911baa1db1266ea15d',
  BTG: 'bip122:btg',
  BSV: 'bip122:bsv',
  XMR: 'monero:mainnet',
  XRP: 'xrpl:0',
  XVG: 'bip122:xvg',
}

/** A list of sanctioned addresses: it states no dates, so none are made up. */
function readList(file: string, entries: readonly string[], options: TagImportOptions): FileTags {
  const suffix = /_([A-Z]+)\.(?:json|txt)/.exec(basename(file))?.[1] ?? ''
  const chain = options.chain ?? (listChains[suffix] as ChainId | undefined)
  if (chain === undefined) {
    throw new KnownError(
      'file.unknown-format',
      `${file} is neither a tag CSV nor a list whose name says its chain`,
      {
        facts: { file },
        hint: 'Give CSV with a header, or name the chain with --chain.',
      },
    )
  }
  const tags: Tag[] = []
  const bad: BadRow[] = []
  for (const [i, entry] of entries.entries()) {
    if (entry === '' || entry.startsWith('#')) continue
    const account = accountOf(entry, chainOfEntry(entry, chain))
    if (account === undefined) {
      bad.push({
        file,
        line: i + 1,
        field: 'address',
        value: harmlessText(entry),
        message: `this is no address of ${chain}`,
      })
      continue
    }
    const { sourceRank = 10, noStops } = options
    const statement = {
      label: 'OFAC SDN',
      category: 'sanction',
      source: 'OFAC SDN list',
      confidence: 60,
    }
    tags.push({ account, ...statement, sourceRank, mayStop: noStops !== true })
  }
  return { file, tags, ignoredColumns: [], bad }
}

/** Lists by token name addresses of Ethereum, Tron and Bitcoin (Omni) side by side. */
function chainOfEntry(entry: string, chain: ChainId): ChainId {
  if (!chain.startsWith('eip155') || !/^[1-9A-HJ-NP-Za-km-z]{26,35}$/.test(entry)) return chain
  return (entry.startsWith('T') ? listChains['TRX'] : listChains['XBT']) as ChainId
}
