import type { AssetId } from '../ledger/asset.ts'
import { compareText } from '../ledger/order.ts'
import { type Flag, flagNotFound, readFlag } from '../store/flags.ts'
import type { Store } from '../store/store.ts'
import { listWork } from '../store/workQueue.ts'
import type { TraceRequest } from './runTrace.ts'

/** @throws KnownError `flag.not-found` */
export async function existingFlag(store: Store, id: string): Promise<Flag> {
  const flag = await readFlag(store, id)
  if (flag) return flag
  throw flagNotFound(id)
}

/**
 * The question that is followed for a flag, so that its trace is the one the planner saw: as of the block through which
 * workers read.
 *
 * @param asset - which of the assets that a flagged wallet received.
 */
export async function flagTraceRequest(
  store: Store,
  flag: Flag,
  asset: AssetId | undefined,
): Promise<TraceRequest> {
  const continued = (await listWork(store)).flatMap(({ continued, account }) =>
    continued && account ? [account] : [],
  )
  const only = flag.following?.assets.length === 1 ? flag.following.assets[0]?.asset : undefined
  return {
    ...(flag.account ? { seedAddresses: [flag.account] } : { seeds: [flag.payment ?? flag.id] }),
    asset: asset ?? (flag.account ? only : undefined),
    minShare: flag.minShare,
    asOf: flag.following?.through,
    continueThrough: continued.sort(compareText),
  }
}
