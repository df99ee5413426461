import { KnownError } from '../../src/ledger/errors.ts'
import { Narrower, unbelievable } from './requests.ts'

/** One question to a list of rows in ascending order of blocks, both blocks included. */
export interface RowQuestion {
  readonly from: number
  readonly to: number
  /** From 1. */
  readonly page: number
  readonly size: number
}

export interface RowsRead<Row> {
  readonly rows: readonly Row[]
  /** Last block of which every row is here. */
  readonly through: number
}

/** `page × size` beyond this is refused. */
export const rowWindow = 10_000

/** Where a reading is cut, so that what it holds in memory is bounded. */
const mostRows = 50_000

/**
 * Reads a list that shows at most {@link rowWindow} rows of any question: by block, each time from the last block
 * that was seen, included. What was seen of that block is thrown away and comes again, so rows that are equal need
 * not be told apart.
 *
 * @returns perhaps less than was asked for: to the last block that is whole.
 * @throws KnownError `rpc.refused` when the first block alone has more rows than the explorer shows
 */
export async function readByBlocks<Row extends { readonly block: number }>(
  range: { readonly from: number; readonly to: number },
  ask: (question: RowQuestion) => Promise<readonly Row[]>,
): Promise<RowsRead<Row>> {
  const rows: Row[] = []
  let { from } = range
  let blocks = range.to - range.from + 1
  let size = rowWindow
  while (from <= range.to && rows.length < mostRows) {
    const question = { from, to: Math.min(from + blocks - 1, range.to), page: 1, size }
    const page = await asked(question, ask)
    if (page instanceof Narrower) {
      if (page.reason === 'timeout' && question.to > from) blocks = (question.to - from + 1) >> 1
      else if (size > 1) size = Math.max(1, size >> 1)
      else throw stuck(page, from)
      continue
    }
    const last = page.at(-1)?.block
    if (last === undefined || isWhole(page, size)) {
      rows.push(...page)
      from = question.to + 1
      blocks *= 2
    } else if (last > from) {
      rows.push(...page.filter(({ block }) => block < last))
      from = last
    } else {
      const block = await wholeBlock(from, page, ask)
      if (block === undefined) {
        if (from > range.from) break
        throw tooManyInBlock(from)
      }
      rows.push(...block)
      from++
    }
  }
  return { rows, through: from - 1 }
}

/**
 * A page that is not full ends the list, except that some explorers cut pages shorter than was asked without a word:
 * to a round number of rows.
 */
function isWhole(page: readonly unknown[], size: number): boolean {
  return page.length < size && page.length % 10 !== 0
}

/** The rest of a block whose rows fill a page; undefined when it has more than the explorer shows. */
async function wholeBlock<Row extends { readonly block: number }>(
  block: number,
  first: readonly Row[],
  ask: (question: RowQuestion) => Promise<readonly Row[]>,
): Promise<readonly Row[] | undefined> {
  const rows = [...first]
  const size = first.length
  for (let page = 2; page * size <= rowWindow; page++) {
    const more = await asked({ from: block, to: block, page, size }, ask)
    if (more instanceof Narrower) return undefined
    rows.push(...more)
    if (more.length < size) return rows
  }
  return undefined
}

async function asked<Row extends { readonly block: number }>(
  question: RowQuestion,
  ask: (question: RowQuestion) => Promise<readonly Row[]>,
): Promise<readonly Row[] | Narrower> {
  try {
    const page = await ask(question)
    checkPage(page, question)
    return page
  } catch (error) {
    if (error instanceof Narrower) return error
    throw error
  }
}

/** Rows elsewhere or in another order would make the next question skip some. */
function checkPage(
  page: readonly { readonly block: number }[],
  { from, to, size }: RowQuestion,
): void {
  if (page.length > size) throw unbelievable(`${page.length} rows where ${size} were asked for`)
  let before = from
  for (const { block } of page) {
    if (block < before || block > to)
      throw unbelievable(`a row of block ${block} is out of order, or was not asked for`)
    before = block
  }
}

function tooManyInBlock(block: number): KnownError {
  return new KnownError(
    'rpc.refused',
    `block ${block} has ${rowWindow} rows of this address or more, which no explorer shows`,
    { facts: { block }, hint: 'Read this address from a node: this block stays a gap here.' },
  )
}

function stuck(cause: Narrower, block: number): KnownError {
  return new KnownError('rpc.unavailable', `the explorer cannot show block ${block}`, {
    facts: { block },
    hint: cause.message.slice(0, 200),
    retryable: true,
  })
}
