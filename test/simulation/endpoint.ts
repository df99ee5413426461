import { type Exchange, NoAnswer } from '../../ingest/rpc/exchange.ts'
import type { RandomNumbers } from '../../src/sample/randomNumbers.ts'
import type { FakeChain } from './fakeChain.ts'
import { answerOf, type NodeKind, Refused } from './fakeNode.ts'
import type { Process, VirtualTime } from './virtualTime.ts'

/** How an endpoint behaves. */
export interface Manner {
  readonly kind: NodeKind
  /** It sees the chain as it was so many milliseconds ago. */
  readonly lagMs: number
  /** Of a thousand calls so many go wrong. */
  readonly faults: number
  /** It knows only honest answers from this moment on. */
  readonly calmFrom: number
}

interface Call {
  readonly id: number
  readonly method: string
  readonly params: readonly unknown[]
}

interface Reply {
  readonly status: number
  readonly text: string
  readonly retryAfterMs?: number
}

/** The wire of a process to an endpoint of its own. */
export function createEndpoint(
  world: { readonly time: VirtualTime; readonly chain: FakeChain; readonly random: RandomNumbers },
  manner: Manner,
  process: Process,
): Exchange {
  const { time, chain, random } = world
  const isCalm = (): boolean => time.now() >= manner.calmFrom

  function resultOf({ id, method, params }: Call): object {
    const sight = chain.at(time.now() - (isCalm() ? 0 : manner.lagMs))
    try {
      const result = answerOf({ chain, kind: manner.kind, sight }, method, params)
      return { jsonrpc: '2.0', id, result }
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      return { jsonrpc: '2.0', id, error: { code: error.code, message: error.message } }
    }
  }

  function honest(body: string): string {
    const asked = JSON.parse(body) as Call | Call[]
    return JSON.stringify(Array.isArray(asked) ? asked.map(resultOf) : resultOf(asked))
  }

  return (body, signal) => {
    const fault = !isCalm() && random.below(1_000) < manner.faults ? random.pick(faults) : undefined
    const ms = (fault?.ms ?? 0) + 5 + random.below(80)
    const method = /"method":"(\w+)"/.exec(body)?.[1] ?? ''
    const label = `${fault?.name ?? ''} ${method}`
    return time.seam(process, {
      ms,
      label,
      signal,
      action: () =>
        fault ? fault.reply(honest(body), random) : { status: 200, text: honest(body) },
    })
  }
}

interface Fault {
  readonly name: string
  /** Time that it takes besides. */
  readonly ms?: number
  readonly reply: (honest: string, random: RandomNumbers) => Reply
}

const code429 =
  (message: string) =>
  (honest: string): Reply => {
    const { id } = JSON.parse(honest) as Call
    return {
      status: 200,
      text: JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32005, message } }),
    }
  }

const faults: readonly Fault[] = [
  { name: '429', reply: () => ({ status: 429, text: 'slow down', retryAfterMs: 1_000 }) },
  { name: '429 for long', reply: () => ({ status: 429, text: '', retryAfterMs: 20_000 }) },
  { name: 'limit inside 200', reply: code429('rate limit reached') },
  { name: '502', reply: () => ({ status: 502, text: '<html>bad gateway</html>' }) },
  { name: '503', reply: () => ({ status: 503, text: '' }) },
  { name: 'HTML', reply: () => ({ status: 200, text: '<html>sign in</html>' }) },
  { name: 'empty', reply: () => ({ status: 200, text: '' }) },
  {
    name: 'cut',
    reply: (text, random) => ({ status: 200, text: text.slice(0, random.below(text.length)) }),
  },
  {
    name: 'wrong id',
    reply: (text) => ({ status: 200, text: text.replace(/"id":\d+/, '"id":987654321') }),
  },
  {
    name: 'null',
    reply(text) {
      const { id } = JSON.parse(text) as Call
      return { status: 200, text: JSON.stringify({ jsonrpc: '2.0', id, result: null }) }
    },
  },
  { name: 'no connection', reply: lost },
  { name: 'nothing in time', ms: 60_000, reply: silent },
  { name: 'drips', ms: 8_000, reply: (text) => ({ status: 200, text }) },
  {
    // Only where a single hash is asked for: a false one there is a reorganisation that never was.
    name: 'another hash',
    reply: (text, random) => ({
      status: 200,
      text: /"transactions":\["/.test(text)
        ? text.replace(/"hash":"0x[0-9a-f]{64}"/, `"hash":"0x${random.hex(32)}"`)
        : text,
    }),
  },
]

function lost(): never {
  throw new NoAnswer('ECONNRESET')
}

function silent(): never {
  throw new NoAnswer('no answer in time', { timedOut: true })
}
