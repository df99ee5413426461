import { type AssetId, parseAsset } from '../src/ledger/asset.ts'
import { freezableTokens } from '../src/ledger/issuers.ts'
import { readOwnChain } from '../src/store/ownChains.ts'
import type { Store } from '../src/store/store.ts'
import { connectEndpoints, type Endpoints, type EndpointsOptions } from './endpoints.ts'
import { connectExplorer, type ExplorerOptions } from './explorer/connect.ts'
import type { ChainReader } from './rpc/chainReader.ts'
import type { NodeOptions, RpcNode } from './rpc/node.ts'
import { wrappedAssets } from './wrappedAssets.ts'

/** Where a worker reads from. */
export interface SourceOptions
  extends Pick<NodeOptions, 'signal' | 'tries' | 'allowPrivate' | 'clock' | 'exchange'> {
  /** http(s) URLs of nodes of one chain, best first, or an explorer; never told. */
  readonly rpc: string | readonly string[] | ExplorerOptions
  /** An endpoint went away, or is read in place of another. */
  readonly changed: EndpointsOptions['tell']
}

/** Nodes or an explorer, whichever an operator named. */
export interface ConnectedSource extends Pick<Endpoints, 'calls' | 'remember'> {
  readonly reader: ChainReader
  readonly traces: string
  readonly refusals?: number
  /** The node that is read at present, for questions of its own; absent where there is none. */
  readonly current?: Pick<RpcNode, 'name' | 'call'>
}

/** @throws KnownError `rpc.*` when none answers, `chain.mismatch`, `store.*` */
export async function connectSource(
  store: Store,
  options: SourceOptions,
): Promise<ConnectedSource> {
  const { rpc, changed, clock, ...node } = options
  const wrapped = await wrappedAssets(store)
  const known = {
    isWrapped: (asset: AssetId): boolean => wrapped.has(asset),
    freezable: await freezableAssets(store),
  }
  if (typeof rpc === 'object' && 'dialect' in rpc) {
    const own = await readOwnChain(store, rpc.chain)
    const behind = rpc.behind ?? own?.finality
    const { tries, signal } = node
    return connectExplorer(
      { ...rpc, behind },
      { ...known, tries, ...(signal === undefined ? {} : { signal }) },
    )
  }
  const endpoints = await connectEndpoints({
    store,
    urls: typeof rpc === 'string' ? [rpc] : rpc,
    ...known,
    ...(clock ? { clock } : {}),
    node,
    tell: changed,
  })
  return {
    reader: endpoints.reader,
    traces: endpoints.reader.current.traces,
    get calls() {
      return endpoints.calls
    },
    get refusals() {
      return endpoints.refusals
    },
    get current() {
      return endpoints.reader.current.node
    },
    remember: () => endpoints.remember(),
  }
}

async function freezableAssets(store: Store): Promise<ReadonlySet<AssetId>> {
  const own = await store.listDocuments('freezable')
  return new Set([...freezableTokens, ...own.map(({ id }) => parseAsset(id))])
}
