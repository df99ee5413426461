/**
 * What a refusal means, which decides what is done about it:
 * - `range`: the blocks asked for are too many, or what they hold is; a smaller question helps
 * - `wallets`: the list of wallets or topics is too long
 * - `rate`: too many calls; the same call later helps
 * - `passing`: a momentary fault of the endpoint
 * - `behind`: the backend that answered does not know the block yet
 * - `history`: the endpoint does not keep what is asked about
 * - `exhausted`: the plan's calls are used up; nothing helps before it begins anew
 * - `key`: the key is wrong, or may not do this
 * - `missing`: the endpoint does not have the method
 * - `refused`: anything else; asking again changes nothing
 */
export type RefusalKind =
  | 'range'
  | 'wallets'
  | 'rate'
  | 'passing'
  | 'behind'
  | 'history'
  | 'exhausted'
  | 'key'
  | 'missing'
  | 'refused'

/** What an endpoint answered in place of a result. */
export interface Refused {
  readonly code: number
  readonly message: string
  readonly data?: unknown
  /** HTTP status. */
  readonly status?: number
}

/** In this order: the first that matches tells. Words win over codes, since providers use codes as they like. */
const byWords: readonly (readonly [RefusalKind, RegExp])[] = [
  [
    'exhausted',
    /monthly capacity|capacity limit exceeded|out of (?:credits|requests|cus)|(?:daily|monthly)[^.]{0,40}(?:count|limit|quota|requests?)[^.]{0,30}(?:exceeded|reached)|(?:exceeded|reached|over)[^.]{0,40}(?:daily|monthly|quota|usage limit|plan's limit)|quota (?:exceeded|exhausted|reached)|insufficient (?:credits|balance for|cu)|payment required|billing/i,
  ],
  [
    'range',
    /query returned more than|returns? too many (?:logs|results)|query exceeds max|exceeds? (?:the )?max(?:imum)? results|logs matched by query|response size|response (?:is )?too (?:large|big)|log response|query timeout|query timed out|block[- ]?range|blocks? distance|max range|too many blocks|ranges? over|range (?:is )?too (?:large|wide|big)|range threshold|bigger than range limit|range \d+ exceeds limit|exceeded max allowed|limited to (?:a |0 ?- ?)?[\d,]+k?(?: blocks?| range|[.\s]*$)|at most [\d,]+ blocks|requested blocks is|range allowed for your plan|smaller than size|no backend is currently healthy/i,
  ],
  [
    'wallets',
    /too many (?:addresses|topics)|exceed(?:s|ed)? (?:the )?max(?:imum)? (?:number of )?(?:addresses|topics)|topics? limit/i,
  ],
  [
    'rate',
    /rate limit|too many requests|(?:per|\/) ?sec|request rate|throttl|limit exceeded|slow down|concurrent requests/i,
  ],
  [
    'key',
    /(?:invalid|unknown|missing|disabled|expired|wrong|bad|no) (?:api|access|project|app)?[- _]?(?:key|id|token)\b|unauthori[sz]ed|must be authenticated|authentication (?:failed|required)|project (?:id )?(?:not found|disabled)|api key (?:is )?not|not (?:allowed|enabled) for (?:this|your) (?:key|project|app|network)/i,
  ],
  [
    'missing',
    /method (?:[\w.]+ )?(?:not found|not supported|not available|not allowed|is not|does not exist)|does not exist\/is not available|unsupported method|unknown method|not implemented|not whitelisted|methods? (?:is |are )?(?:disabled|unavailable)/i,
  ],
  [
    'history',
    /missing trie node|pruned|archive|historical (?:state|data)|history has been|state (?:is )?not available|old data not available/i,
  ],
  [
    'behind',
    /unknown block|header not found|block(?: \S+)? (?:was )?not found|could not find block|beyond (?:the )?(?:current )?head|future block|block ?out ?of ?range|not yet available|cannot query unfinalized/i,
  ],
  [
    'passing',
    /timed? ?out|timeout|internal (?:server )?error|bad gateway|service unavailable|overloaded|try again|temporar|upstream|no available|connection/i,
  ],
]

const byCode: Readonly<Record<number, RefusalKind>> = {
  [-32_005]: 'rate',
  429: 'rate',
  408: 'passing',
  425: 'passing',
  [-32_601]: 'missing',
  [-32_004]: 'missing',
  [-32_603]: 'passing',
  [-32_002]: 'passing',
  401: 'key',
  403: 'key',
  402: 'exhausted',
}

/** What a refusal means, from its words, its code and the HTTP status that came with it. */
export function kindOfRefusal({ code, message, status }: Refused): RefusalKind {
  const words = byWords.find(([, pattern]) => pattern.test(message))?.[0]
  // "limit exceeded" is about calls unless the words say of what.
  if (words !== undefined) return words
  const known = byCode[code]
  if (known !== undefined) return known
  if (status === 429) return 'rate'
  if (status === 402) return 'exhausted'
  if (status === 401 || status === 403) return 'key'
  return status !== undefined && status >= 500 ? 'passing' : 'refused'
}

/** What to ask instead of a range that is refused. */
export type Smaller =
  /** So many blocks are taken: the endpoint said so, and it holds for every question. */
  | { readonly kind: 'blocks'; readonly blocks: number }
  /** This part would be taken this time: what the blocks hold decides. */
  | { readonly kind: 'part'; readonly blocks: number }
  /** Half; `results` where the endpoint says how many it gives. */
  | { readonly kind: 'half'; readonly results?: number }

type Reading = (match: RegExpExecArray, asked: number) => Smaller | undefined

const upTo: Reading = ([, text]) => blocksOf(text)
const below: Reading = ([, text]) => blocksOf(text, -1)

/** What providers say, in the order in which it is tried; all known texts stand in the tests. */
const readings: readonly (readonly [RegExp, Reading])[] = [
  [
    /block range(?: should work)?:? ?\[(0x[0-9a-f]+), ?(0x[0-9a-f]+)\]/i,
    ([, from, to]) => partOf(from, to),
  ],
  [/up to a ([\d,]+k?) block range/i, upTo],
  [
    /(?:returned more than|exceeds limit of|cap of|more than) ([\d,]+)(k?) (?:results|logs)/i,
    ([, text, k]) => halfOf(text, k),
  ],
  [/logs matched by query exceeds limit of ([\d,]+)/i, ([, text]) => halfOf(text)],
  [
    /returns? too many|exceeds max results|response size|backend response too large|query timeout|query timed out/i,
    () => ({ kind: 'half' }),
  ],
  [/ranges over ([\d,]+) blocks are not supported/i, () => ({ kind: 'half' })],
  [/max range: ([\d,]+)/i, below],
  [/maximum is set to ([\d,]+)/i, below],
  [/at most ([\d,]+) blocks/i, below],
  [/\(\d[\d,]* > (\d[\d,]*)\)/, upTo],
  [/limited to (?:a |0 ?- ?)?([\d,.]+k?)/i, upTo],
  [/blocks? distance: ([\d,]+)/i, upTo],
  [/(?:maximum|max) block range:? ([\d,]+)/i, upTo],
  [/requested blocks is ([\d,]+)/i, upTo],
  [/smaller than size ([\d,]+)/i, upTo],
  [/\(maximum ([\d,]+)\)/i, upTo],
  [/block range (?:exceeds|greater than) ([\d,]+)/i, upTo],
  [/max is ([\d,]+k?) blocks/i, upTo],
  [/range [\d,]+ exceeds limit of ([\d,]+)/i, upTo],
  [/bigger than range limit ([\d,]+)/i, upTo],
  [/narrow your filter: ([\d,]+)/i, upTo],
  [/block range limit exceeded/i, (_, asked) => firstBelow(asked, [10_000, 100])],
  [/block range is too wide/i, (_, asked) => firstBelow(asked, [3_000])],
]

/**
 * What to ask instead of so many blocks, from the endpoint's own words where it says.
 *
 * @param asked - blocks that were refused.
 */
export function smallerRange(words: string, asked: number): Smaller {
  for (const [pattern, read] of readings) {
    const match = pattern.exec(words)
    const found = match ? read(match, asked) : undefined
    if (!found) continue
    return found.kind === 'half' || (found.blocks < asked && found.blocks >= 1)
      ? found
      : { kind: 'half' }
  }
  return { kind: 'half' }
}

function blocksOf(text: string | undefined, change = 0): Smaller | undefined {
  const blocks = count(text) + change
  return blocks >= 1 ? { kind: 'blocks', blocks } : undefined
}

function partOf(from: string | undefined, to: string | undefined): Smaller | undefined {
  const blocks = Number(to) - Number(from) + 1
  return Number.isSafeInteger(blocks) && blocks >= 1 ? { kind: 'part', blocks } : undefined
}

function halfOf(text: string | undefined, thousands = ''): Smaller {
  const results = count(`${text}${thousands}`)
  return results >= 1 ? { kind: 'half', results } : { kind: 'half' }
}

function firstBelow(asked: number, sizes: readonly number[]): Smaller {
  const blocks = sizes.find((size) => size < asked)
  return blocks === undefined ? { kind: 'half' } : { kind: 'blocks', blocks }
}

/** `10,000`, `10k`, `2K`; a dot at the end is the sentence's. */
function count(text: string | undefined): number {
  const match = /^([\d,]{1,12})(k?)$/i.exec((text ?? '').replace(/\.$/, ''))
  return match ? Number(match[1]?.replaceAll(',', '')) * (match[2] === '' ? 1 : 1000) : Number.NaN
}

/** Seconds and calls per second that an endpoint names inside an error: `data.rate`, as Infura does, or in words. */
export function rateOf({ data, message }: Pick<Refused, 'data' | 'message'>): {
  readonly waitMs?: number
  readonly perSecond?: number
} {
  const rate = property(data, 'rate')
  const [, spelled, unit] =
    /(?:retry|again) (?:in|after) (\d+(?:\.\d+)?) ?(ms|s\b|sec)/i.exec(message) ?? []
  const inWords = Number(spelled) * (unit?.toLowerCase() === 'ms' ? 1 : 1000)
  const waitMs = Number(property(rate, 'backoff_seconds')) * 1000 || inWords
  const perSecond = Number(property(rate, 'allowed_rps'))
  return {
    ...(waitMs > 0 ? { waitMs } : {}),
    ...(perSecond > 0 ? { perSecond } : {}),
  }
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined
}
