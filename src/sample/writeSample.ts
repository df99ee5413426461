import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatReference } from '../ledger/account.ts'
import { formatCsvRow, jejakCsvHeader } from '../ledger/jejakCsv.ts'
import { csvTextCell } from '../ledger/text.ts'
import type { SampleCase } from './sampleCase.ts'

export interface SampleFiles {
  readonly transfers: string
  readonly tags: string
  readonly seeds: string
}

/** Writes a sample case as the files that an analyst would have: Jejak CSV, tags, and the seeds. */
export function writeSample(folder: string, sample: SampleCase): SampleFiles {
  const files = {
    transfers: join(folder, 'sample-transfers.csv'),
    tags: join(folder, 'sample-tags.csv'),
    seeds: join(folder, 'sample-seeds.txt'),
  }
  const tags = sample.tags.map(({ account, label, category, source, confidence }) =>
    [formatReference(account), 'eip155:1', csvTextCell(label), category, source, confidence].join(
      ',',
    ),
  )
  writeFileSync(
    files.transfers,
    `${[jejakCsvHeader, ...sample.transfers.map(formatCsvRow)].join('\n')}\n`,
  )
  writeFileSync(
    files.tags,
    `${['address,chain,label,category,source,confidence', ...tags].join('\n')}\n`,
  )
  writeFileSync(files.seeds, `${sample.seeds.join('\n')}\n`)
  return files
}
