import { fifo } from './fifo.ts'
import { haircut } from './haircut.ts'
import { cleanFirst, taintedFirst } from './labelledFirst.ts'
import { lifo } from './lifo.ts'
import type { Method } from './parcels.ts'

/** Which inflow of an address paid for which outflow (design 8.1). The first is the default. */
export const methodNames = ['fifo', 'lifo', 'haircut', 'tainted-first', 'clean-first'] as const

export type MethodName = (typeof methodNames)[number]

/** Another method is a file with a pile and a line here. */
export const methods: Readonly<Record<MethodName, Method>> = {
  fifo,
  lifo,
  haircut,
  'tainted-first': taintedFirst,
  'clean-first': cleanFirst,
}

export type Direction = 'forward' | 'backward'
