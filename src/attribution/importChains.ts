import { z } from 'zod'
import { type AssetId, tokenAsset } from '../ledger/asset.ts'
import { type ChainId, parseChain } from '../ledger/chain.ts'
import { KnownError } from '../ledger/errors.ts'
import { isShippedChain, nativeAsset } from '../ledger/nativeCoins.ts'
import { type OwnChain, ownChains } from '../store/ownChains.ts'
import type { Store } from '../store/store.ts'
import { contract, decimals } from './importTokens.ts'
import { readText } from './readText.ts'

const name = z.string().min(1).max(100)

const chainFile = z.strictObject({
  chains: z
    .array(
      z.strictObject({
        chain: z.string().regex(/^eip155:\d{1,18}$/, 'must be eip155: and the chain id'),
        name,
        native: z.strictObject({ symbol: name, name: name.optional() }),
        finality: z.int().min(0).max(1_000_000).default(64),
        wrapped: contract.optional(),
        tokens: z
          .array(
            z.strictObject({
              address: contract,
              symbol: name,
              name: name.optional(),
              decimals,
              freezable: z.boolean().default(false),
            }),
          )
          .default([]),
      }),
    )
    .min(1),
})

type GivenChain = z.output<typeof chainFile>['chains'][number]

/**
 * Adds EVM chains that no table ships: native coin, finality, wrapped coin, trusted tokens and which of them their
 * issuer can freeze. A chain that was added before is as this file says. The native coin of such a chain is always
 * `slip44:60`, whatever its name.
 *
 * @throws KnownError `chain.invalid` naming what is wrong, also for a chain that is shipped; `file.unreadable`
 */
export async function importChains(
  store: Pick<Store, 'readDocument' | 'writeDocument' | 'deleteDocument' | 'listDocuments'>,
  files: readonly string[],
): Promise<readonly OwnChain[]> {
  const given = files.flatMap(readChains)
  const added: OwnChain[] = []
  for (const one of given) added.push(await putChain(store, one))
  return added
}

function readChains(file: string): readonly GivenChain[] {
  const result = chainFile.safeParse(parseJson(file))
  if (!result.success) {
    const wrong = result.error.issues.slice(0, 10)
    throw invalid(
      `${file} describes no chains: ${wrong.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')}`,
    )
  }
  const shipped = result.data.chains.find(({ chain }) => isShippedChain(parseChain(chain)))
  if (!shipped) return result.data.chains
  throw invalid(
    `${shipped.chain} is in the shipped table`,
    'Add its tokens with `jejak tokens import`.',
  )
}

function parseJson(file: string): unknown {
  try {
    return JSON.parse(readText(file))
  } catch (error) {
    if (error instanceof KnownError) throw error
    throw invalid(`${file} is not valid JSON`)
  }
}

function invalid(message: string, hint?: string): KnownError {
  return new KnownError('chain.invalid', message, {
    hint:
      hint ??
      'Give {"chains": [{"chain": "eip155:5000", "name", "native": {"symbol"}, "finality", "wrapped", "tokens": [{"address", "symbol", "decimals", "freezable"}]}]}.',
  })
}

type Documents = Pick<Store, 'readDocument' | 'writeDocument' | 'deleteDocument' | 'listDocuments'>

async function putChain(store: Documents, given: GivenChain): Promise<OwnChain> {
  const chain = parseChain(given.chain)
  const native = nativeAsset(chain)
  const coin = { symbol: given.native.symbol, name: given.native.name ?? given.native.symbol }
  const own: OwnChain = { chain, name: given.name, native: coin, finality: given.finality }
  const tokens = given.tokens.map((token) => ({
    asset: tokenAsset(chain, token.address),
    symbol: token.symbol,
    name: token.name ?? token.symbol,
    decimals: token.decimals,
  }))
  const freezable = given.tokens
    .filter((token) => token.freezable)
    .map(({ address }) => tokenAsset(chain, address))
  const wrapped = given.wrapped === undefined ? [] : [tokenAsset(chain, given.wrapped)]
  await keepOnly(store, { collection: 'wrapped', chain, value: { native } }, wrapped)
  await keepOnly(store, { collection: 'freezable', chain, value: {} }, freezable)
  const list = `chain ${chain}`
  await put(store, 'token-list', list, {
    name: list,
    version: '0',
    tokens: [{ asset: native, ...coin, decimals: 18 }, ...tokens],
  })
  await put(store, ownChains, chain, own)
  return own
}

/** Of a chain's assets in a collection exactly these. */
async function keepOnly(
  store: Documents,
  given: { readonly collection: string; readonly chain: ChainId; readonly value: object },
  assets: readonly AssetId[],
): Promise<void> {
  const { collection, chain, value } = given
  for (const { id, version } of await store.listDocuments(collection)) {
    if (id.startsWith(`${chain}/`) && !assets.some((asset) => asset === id))
      await store.deleteDocument(collection, id, version)
  }
  for (const asset of assets) await put(store, collection, asset, value)
}

async function put(
  store: Documents,
  collection: string,
  id: string,
  value: unknown,
): Promise<void> {
  const known = await store.readDocument(collection, id)
  await store.writeDocument(collection, id, known?.version ?? 0, value)
}
