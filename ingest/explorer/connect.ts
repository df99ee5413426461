import type { AssetId } from '../../src/ledger/asset.ts'
import { type ChainId, isEvm, parseChain } from '../../src/ledger/chain.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import { freezableTokens } from '../../src/ledger/issuers.ts'
import type { ChainReader } from '../rpc/chainReader.ts'
import { connectBlockscout } from './blockscout.ts'
import { connectEtherscan } from './etherscan.ts'
import { createRequests } from './requests.ts'

export interface ExplorerOptions {
  readonly dialect: 'etherscan' | 'blockscout'
  readonly url: string
  readonly key?: string | undefined
  readonly chain: ChainId
  /** Default 3, what a free key may. */
  readonly callsPerSecond?: number | undefined
  /** Blocks below the head that are not read yet; default the chain's depth of finality. */
  readonly behind?: number | undefined
}

/** Where Etherscan's API is, for all its chains. */
const etherscanUrl = 'https://api.etherscan.io/v2/api'

/** An explorer in the place of nodes. */
export interface ConnectedExplorer {
  readonly reader: ChainReader
  /** It tells internal transfers by lists of its own. */
  readonly traces: 'none'
  /** Calls so far. */
  readonly calls: number
  /** It has nothing to remember: its rate is told anew. */
  remember(): Promise<void>
}

/** @throws KnownError `rpc.*` */
export async function connectExplorer(
  options: ExplorerOptions,
  given: {
    readonly isWrapped: (asset: AssetId) => boolean
    readonly freezable?: ReadonlySet<AssetId>
    readonly signal?: AbortSignal
    readonly tries?: number | undefined
  },
): Promise<ConnectedExplorer> {
  const { dialect, chain, behind } = options
  const requests = createRequests({
    dialect,
    url: options.url,
    key: options.key,
    keyPlace: dialect === 'etherscan' ? 'parameter' : 'header',
    callsPerSecond: options.callsPerSecond ?? 3,
    // Tokens that Blockscout takes for scams are left out unless asked for; an investigator needs them.
    headers: dialect === 'blockscout' ? { 'show-scam-tokens': 'true' } : {},
    signal: given.signal,
    tries: given.tries,
  })
  const { isWrapped, freezable = freezableTokens } = given
  const place = { chain, behind, isWrapped, freezable }
  const connect = dialect === 'etherscan' ? connectEtherscan : connectBlockscout
  return {
    reader: await connect(requests, place),
    traces: 'none',
    get calls() {
      return requests.calls
    },
    remember: () => Promise.resolve(),
  }
}

/**
 * An explorer as a command line names it. Its URL comes by environment, since it may carry a key.
 *
 * @throws KnownError `request.invalid`, `chain.invalid`
 */
export function explorerOptions(
  dialect: string,
  given: {
    readonly chain?: string | undefined
    readonly behind?: string | undefined
    readonly rate?: string | undefined
  },
  key: string | undefined,
): ExplorerOptions {
  if (dialect !== 'etherscan' && dialect !== 'blockscout')
    throw invalid(`there is no explorer "${dialect.slice(0, 40)}"`, 'Give etherscan or blockscout.')
  const url = process.env['JEJAK_INGEST_EXPLORER'] ?? (dialect === 'etherscan' ? etherscanUrl : '')
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw invalid('no http(s) explorer is named', 'Give --url https://host/api/v2.')
  const chain = parseChain(given.chain ?? 'eip155:1')
  if (!isEvm(chain))
    throw invalid(`${chain} is no EVM chain`, 'Explorers are read for eip155 chains.')
  return {
    dialect,
    url,
    key,
    chain,
    behind: wholeOption('--behind', given.behind),
    callsPerSecond: wholeOption('--rate', given.rate) || undefined,
  }
}

function wholeOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw invalid(`${name} "${text.slice(0, 40)}"`, 'Give a whole number.')
}

function invalid(message: string, hint: string): KnownError {
  return new KnownError('request.invalid', message, { hint })
}
