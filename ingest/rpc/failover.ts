import { KnownError } from '../../src/ledger/errors.ts'
import type { ChainReader } from './chainReader.ts'
import type { Clock } from './clock.ts'
import { RpcRefusal } from './node.ts'

/** A source that may be connected now or later. */
export interface Source<R extends ChainReader> {
  /** Name without secrets, known before the source ever answered. */
  readonly name: string
  /** @throws KnownError `rpc.*` */
  connect(): Promise<R>
}

/** Several sources of one chain as one. */
export interface Failover<R extends ChainReader> extends ChainReader {
  /** The one that answers at present; name, assurance and complete kinds are its own. */
  readonly current: R
}

export interface FailoverOptions {
  readonly clock: Clock
  /** A source went away, or is used in place of another. */
  readonly tell?: (change: {
    readonly name: string
    readonly away: boolean
    readonly why: string
  }) => void
}

interface Place<R extends ChainReader> {
  readonly source: Source<R>
  reader: R | undefined
  faults: number
  awayUntil: number
}

const firstAwayMs = 15_000
const longestAwayMs = 600_000

/**
 * Reads from the first source that answers; among those that do, from one that knows the most kinds. A whole reading
 * comes from one source: what two of them say is never mixed into one claim. A source that fails is left alone for a
 * while, longer each time.
 *
 * @throws KnownError `chain.mismatch` when they serve different chains, `rpc.*` when none answers
 */
export async function createFailover<R extends ChainReader>(
  sources: readonly Source<R>[],
  { clock, tell = () => undefined }: FailoverOptions,
): Promise<Failover<R>> {
  const places: Place<R>[] = sources.map((source) => ({
    source,
    reader: undefined,
    faults: 0,
    awayUntil: 0,
  }))
  let chain: R['chain'] | undefined

  async function connected(place: Place<R>): Promise<R> {
    place.reader ??= await place.source.connect()
    chain ??= place.reader.chain
    if (place.reader.chain === chain) return place.reader
    throw new KnownError(
      'chain.mismatch',
      `one node serves ${chain}, another one ${place.reader.chain}`,
      { hint: 'Start a worker for each chain, with the nodes of that chain.' },
    )
  }

  function leave(place: Place<R>, error: KnownError): void {
    place.faults++
    const awayMs =
      error.code === 'rpc.parked' ? longestAwayMs : firstAwayMs * 2 ** (place.faults - 1)
    place.awayUntil = clock.now() + Math.min(awayMs, longestAwayMs)
    tell({ name: place.source.name, away: true, why: error.message })
  }

  /** In order of preference; one that is away only when none is left. */
  function inOrder(): Place<R>[] {
    const now = clock.now()
    const rank = ({ awayUntil, reader }: Place<R>): number =>
      (awayUntil > now ? 100 : 0) - (reader?.complete.length ?? 0)
    return [...places].sort((a, b) => rank(a) - rank(b))
  }

  let current: R | undefined
  async function withAny<T>(work: (reader: R) => Promise<T>): Promise<T> {
    let failure: unknown
    for (const place of inOrder()) {
      try {
        const reader = await connected(place)
        const done = await work(reader)
        if (current !== reader && current !== undefined)
          tell({ name: place.source.name, away: false, why: 'it is read from now' })
        current = reader
        place.faults = 0
        place.awayUntil = 0
        return done
      } catch (error) {
        if (!(error instanceof KnownError) || !othersMayHelp(error)) throw error
        failure ??= error
        leave(place, error)
      }
    }
    throw failure
  }

  // All are tried once, so that the best of them is known; one that is away now is connected when it is needed.
  for (const place of places) {
    await connected(place).catch((error: unknown) => {
      if (!(error instanceof KnownError) || error.code === 'chain.mismatch') throw error
      leave(place, error)
      if (places.length === 1) throw error
    })
  }
  await withAny(async () => undefined)
  const now = (): R => {
    if (!current) throw new Error('no source is connected')
    return current
  }

  return {
    get current() {
      return now()
    },
    get chain() {
      return now().chain
    },
    get name() {
      return now().name
    },
    get assurance() {
      return now().assurance
    },
    get complete() {
      return now().complete
    },
    get contracts() {
      return now().contracts
    },
    head: () => withAny((reader) => reader.head()),
    finalized: () => withAny((reader) => reader.finalized()),
    blockHash: (number) => withAny((reader) => reader.blockHash(number)),
    parentHash: (hash) => withAny(async (reader) => reader.parentHash?.(hash)),
    untouchedThrough: (wallet, head) =>
      withAny(async (reader) => reader.untouchedThrough?.(wallet, head)),
    readTransaction: (tx) => withAny(async (reader) => reader.readTransaction?.(tx)),
    look: (wallet) => withAny(async (reader) => reader.look?.(wallet)),
    read: (wallets, range, kinds) =>
      withAny(async (reader) => {
        const read = await reader.read(wallets, range, kinds)
        const { name, assurance, complete } = reader
        return { ...read, by: { name, assurance, complete } }
      }),
  }
}

/** A fault of the endpoint, not of the question. */
function othersMayHelp(error: KnownError): boolean {
  if (error instanceof RpcRefusal) return error.kind !== 'wallets'
  return error.code.startsWith('rpc.')
}
