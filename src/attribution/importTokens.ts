import { basename } from 'node:path'
import { z } from 'zod'
import { parseAsset, tokenAsset } from '../ledger/asset.ts'
import type { ChainId } from '../ledger/chain.ts'
import { KnownError } from '../ledger/errors.ts'
import type { Store } from '../store/store.ts'
import { readText } from './readText.ts'
import type { ImportedToken } from './trustedTokens.ts'

export interface TokenImportReport {
  readonly lists: readonly {
    readonly name: string
    readonly version: string
    readonly tokens: number
  }[]
}

/** A contract's address; mixed case must be its checksum. */
export const contract = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, 'must be 0x and 40 hex digits')
  .refine(hasTrueChecksum, 'its checksum is wrong')
export const decimals = z.int().min(0).max(255)

const tokenList = z.object({
  name: z.string(),
  version: z.object({ major: z.int(), minor: z.int(), patch: z.int() }).optional(),
  tokens: z.array(
    z.object({
      chainId: z.int().positive(),
      address: contract,
      symbol: z.string(),
      name: z.string(),
      decimals,
    }),
  ),
})

const contractMap = z.record(
  contract,
  z.object({
    name: z.string(),
    symbol: z.string(),
    decimals: decimals.optional(),
    erc20: z.boolean().optional(),
  }),
)

/** An address in one case has no checksum to be wrong. */
function hasTrueChecksum(text: string): boolean {
  try {
    return parseAsset(`eip155:1/erc20:${text}`) !== undefined
  } catch {
    return false
  }
}

/** A stored list: one document of the collection `token-list`. */
const storedList = z.object({
  name: z.string(),
  version: z.string(),
  tokens: z.array(
    z.object({ asset: z.string(), symbol: z.string(), name: z.string(), decimals: z.number() }),
  ),
})
type StoredList = z.output<typeof storedList>

/**
 * Adds lists of trusted tokens: Token Lists JSON, or a map from contract to name, symbol and decimals (taken as
 * Ethereum's; entries that are no ERC-20 are left out). A list of the same name is replaced.
 *
 * @throws KnownError `token-list.invalid`, `file.unreadable`
 */
export async function importTokens(
  store: Pick<Store, 'readDocument' | 'writeDocument'>,
  files: readonly string[],
): Promise<TokenImportReport> {
  const lists = files.map(readList)
  for (const list of lists) {
    const known = await store.readDocument('token-list', list.name)
    await store.writeDocument('token-list', list.name, known?.version ?? 0, list)
  }
  return {
    lists: lists.map(({ name, version, tokens }) => ({ name, version, tokens: tokens.length })),
  }
}

function readList(file: string): StoredList {
  const value = parseJson(file)
  const isList = typeof value === 'object' && value !== null && 'tokens' in value
  if (!isList) return ofContractMap(file, checked(file, contractMap.safeParse(value)))
  const list = checked(file, tokenList.safeParse(value))
  const { major = 0, minor = 0, patch = 0 } = list.version ?? {}
  return {
    name: list.name,
    version: `${major}.${minor}.${patch}`,
    tokens: list.tokens.map((token) => ({
      asset: tokenAsset(`eip155:${token.chainId}` as ChainId, token.address),
      symbol: token.symbol,
      name: token.name,
      decimals: token.decimals,
    })),
  }
}

function parseJson(file: string): unknown {
  try {
    return JSON.parse(readText(file))
  } catch (error) {
    if (error instanceof KnownError) throw error
    throw new KnownError('token-list.invalid', `${file} is not valid JSON`, {
      facts: { file },
      cause: error,
    })
  }
}

function checked<T>(file: string, result: z.ZodSafeParseResult<T>): T {
  if (result.success) return result.data
  const shown = result.error.issues
    .slice(0, 10)
    .map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  throw new KnownError('token-list.invalid', `${file} is no token list: ${shown.join('; ')}`, {
    facts: { file, field: result.error.issues[0]?.path.join('.') ?? '' },
    hint: 'Give Token Lists JSON ({name, version, tokens: [{chainId, address, symbol, name, decimals}]}).',
  })
}

function ofContractMap(file: string, map: z.output<typeof contractMap>): StoredList {
  const tokens = Object.entries(map).flatMap(
    ([address, { symbol, name, decimals: places, erc20 }]) =>
      erc20 === true && places !== undefined
        ? [{ asset: tokenAsset('eip155:1' as ChainId, address), symbol, name, decimals: places }]
        : [],
  )
  return { name: basename(file).replace(/\.json(\.gz|\.zst)?$/, ''), version: '0', tokens }
}

/** Every imported token, lists in order of their names. */
export async function importedTokens(
  store: Pick<Store, 'listDocuments'>,
): Promise<ImportedToken[]> {
  const documents = await store.listDocuments('token-list')
  return documents.flatMap(({ value }) => {
    const list = storedList.parse(value)
    return list.tokens.map((token) => ({
      ...token,
      asset: token.asset as ImportedToken['asset'],
      list: `${list.name} ${list.version}`,
    }))
  })
}
