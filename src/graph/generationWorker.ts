import { constants, setPriority } from 'node:os'
import { workerData } from 'node:worker_threads'
import { openStore, type StorePlace } from '../store/open.ts'
import type { Store, StoreState } from '../store/store.ts'
import { createReader, type Reader } from './build.ts'
import type { Columns } from './columns.ts'
import { type SharedClaims, sharedClaims } from './sharedClaims.ts'
import { answer } from './thread.ts'

export interface GenerationWork {
  readonly place: StorePlace
  /** Whether whoever else works on this machine goes before. */
  readonly isPatient: boolean
}

/** A whole generation, or only what is claimed to be covered. */
export type GenerationQuestion = 'build' | 'coverage'

/** Rows and claims of one moment: claims say nothing about rows that are not there. */
export interface BuiltGeneration {
  /** Absent where only the coverage was asked for. */
  readonly columns: Columns | undefined
  readonly state: StoreState
  readonly coverage: SharedClaims
}

/**
 * Thread that builds generations and hands their shared columns over, one per question. It opens the store for itself
 * and lives as long as its owner lets it, so that a generation reads only what came since the one before.
 */
const { place, isPatient } = workerData as GenerationWork
let opened: { readonly store: Store; readonly reader: Reader } | undefined
let coverage: SharedClaims | undefined

// Elsewhere than on Linux this would be said of the whole process.
if (isPatient && process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL)

answer(async (question: GenerationQuestion): Promise<BuiltGeneration> => {
  opened ??= await open()
  const { store, reader } = opened
  let state = await store.state()
  if (coverage?.version !== state.coverageVersion) {
    const moment = await store.coverageMoment()
    state = moment.state
    coverage = sharedClaims(state.coverageVersion, moment.claims)
  }
  const columns = question === 'build' ? await reader.read(state) : undefined
  return { columns, state, coverage }
})

async function open(): Promise<{ readonly store: Store; readonly reader: Reader }> {
  const store = await openStore(place)
  return { store, reader: createReader(store) }
}
