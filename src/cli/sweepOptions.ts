import { InvalidArgumentError } from 'commander'
import type { SweepRequest } from '../api/sweeps.ts'
import { parseAsset } from '../ledger/asset.ts'
import type { ProgramContext } from './options.ts'
import { type accountReader, asOfBlocks, oneOf } from './traceCommands.ts'

/** Options that `reach` and `paths` have in common. */
export interface SweepOptions {
  readonly asset?: string
  readonly direction?: string
  readonly since?: number
  readonly until?: number
  readonly asOf?: string[]
  readonly continueThrough?: string[]
  readonly neverFollow?: string[]
}

export function addSweepOptions(command: ProgramContext['program']): ProgramContext['program'] {
  return command
    .option('--asset <asset>', 'only transfers of this CAIP-19 asset')
    .option('--direction <direction>', 'forward or backward', 'forward')
    .option(
      '--since <time>',
      'only transfers from then on: seconds or 2024-08-21T10:00:00Z',
      moment,
    )
    .option('--until <time>', 'only transfers up to then', moment)
    .option('--as-of <chain@block...>', 'last block to look at')
    .option('--continue-through <account...>', 'go through this stop')
    .option('--never-follow <account...>', 'end here')
}

/** Seconds since 1970, from such or from a date, which is one of UTC where it does not say otherwise. */
function moment(text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text)
  const date = /^\d{4}-\d\d-\d\d(T[\d:]+)?$/.exec(text)
  const milliseconds = Date.parse(date ? `${date[0]}${date[1] ? 'Z' : ''}` : text)
  if (/^\d{4}-/.test(text) && milliseconds >= 0) return Math.floor(milliseconds / 1000)
  throw new InvalidArgumentError('give seconds since 1970, or a date such as 2024-08-21T10:00:00Z')
}

/** What was asked for with those options. */
export function sweepRequest(
  options: SweepOptions,
  account: Awaited<ReturnType<typeof accountReader>>,
): SweepRequest {
  return {
    direction: oneOf('--direction', options.direction, ['forward', 'backward']),
    asset: options.asset === undefined ? undefined : parseAsset(options.asset),
    since: options.since,
    until: options.until,
    asOf: asOfBlocks(options.asOf ?? []),
    continueThrough: options.continueThrough?.map(account),
    neverFollow: options.neverFollow?.map(account),
  }
}
