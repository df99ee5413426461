import { formatAsset } from '../../src/ledger/asset.ts'
import { harmlessText } from '../../src/ledger/text.ts'
import { createProgressBar, type ProgressBar } from '../progress.ts'
import type { Cost } from './cost.ts'
import type { ProveEvent, ProveReport } from './prove.ts'

/** How a proof is told: as lines and a bar to a person, as JSON lines to a program. */
export interface ProofOutput {
  cost(cost: Cost): void
  event(event: ProveEvent): void
  done(report: ProveReport): void
}

export function proofOutput(json: boolean): ProofOutput {
  return json ? jsonOutput() : textOutput(createProgressBar(process.stderr))
}

function jsonOutput(): ProofOutput {
  const write = (record: object): void => {
    process.stdout.write(`${JSON.stringify(record, withoutBigints)}\n`)
  }
  return {
    cost: (cost) => write({ event: 'cost', ...cost }),
    event: write,
    done: (report) => write({ event: 'done', ...report }),
  }
}

function withoutBigints(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}

function textOutput(bar: ProgressBar): ProofOutput {
  const line = (text: string): void => {
    bar.clear()
    console.error(harmlessText(text))
  }
  let total = 0
  return {
    cost({ blocks, headersAbove, calls, bytes }) {
      total = blocks
      const above = headersAbove > 0 ? ` and ${number(headersAbove)} headers up to the anchor` : ''
      line(
        `${number(blocks)} blocks${above}: about ${number(calls)} calls and ${megabytes(bytes)} of answers`,
      )
    },
    event(event) {
      if ('left' in event) {
        total = Math.max(total, event.left)
        bar.show({ done: total - event.left, total, rows: total - event.left, unit: 'blocks' })
      } else line(textOf(event))
    },
    done(report) {
      bar.clear()
      for (const text of reportLines(report)) console.log(harmlessText(text))
    },
  }
}

function textOf(event: Exclude<ProveEvent, { readonly left: number }>): string {
  if (event.event === 'vouched')
    return `The hash of block ${event.block} is vouched for by ${event.by.join(' and ')}`
  if (event.event === 'disagreed') return `The endpoints disagree: ${event.text}`
  return event.event === 'unsupported' ? event.text : `Finding: ${event.text}`
}

function reportLines(report: ProveReport): string[] {
  if (!report.began) return ['Nothing was done.']
  const lines: string[] = []
  if (report.proven.length > 0)
    lines.push(`Proven from the blocks (A3): ${report.proven.join(', ')}`)
  if (report.agreed.length > 0) lines.push(`Two endpoints agree (A2): ${report.agreed.join(', ')}`)
  lines.push(
    `${number(report.transfers)} transfers, ${number(report.findings)} findings, ${number(report.calls)} calls`,
  )
  for (const { asset, fromBlock, toBlock, difference } of report.balances)
    lines.push(
      `Balance of ${formatAsset(asset)} in blocks ${fromBlock}-${toBlock}: ${
        difference === null
          ? 'not checked, the node has no archive'
          : difference === 0n
            ? 'adds up'
            : `${difference} base units are not explained by the stored transfers`
      }`,
    )
  for (const tx of report.missing) lines.push(`Not proven: no block has ${tx}`)
  return lines
}

function number(value: number): string {
  return value.toLocaleString('en')
}

function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${number(Math.round(bytes / 1e5) / 10)} MB`
}
