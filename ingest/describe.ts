import type { Account } from '../src/ledger/account.ts'
import { type AssetId, tokenContract } from '../src/ledger/asset.ts'
import { KnownError } from '../src/ledger/errors.ts'
import { knownTokens } from '../src/ledger/knownTokens.ts'
import { movesValue, type Transfer } from '../src/ledger/transfer.ts'
import { appendDocument, documentsAfter } from '../src/store/documentLog.ts'
import type { Store } from '../src/store/store.ts'
import { tokenMetadata } from '../src/store/tokenMetadata.ts'
import type { ContractReader } from './rpc/contracts.ts'

/** Asks contracts what a wallet's transfers leave open, each once for all wallets. */
export interface Descriptions {
  /**
   * @param block - at which to ask: the head, since most nodes know no older state.
   * @throws KnownError `rpc.unavailable`, `store.*`
   */
  note(
    contracts: ContractReader,
    wallet: Account,
    read: { readonly transfers: readonly Transfer[]; readonly block: number },
  ): Promise<void>
}

/** A wallet that is sent worthless tokens by the hundred does not hold up the rest; what is left is asked next time. */
const mostTokens = 40
const mostAccounts = 200

/** Accounts that are not known to have code are asked about again only after so many others. */
const rememberedAccounts = 100_000

export function openDescriptions(store: Store): Descriptions {
  const described = new Set<AssetId>()
  const asked = new Set<Account>()
  let codeRead = 0

  async function isDescribed(asset: AssetId): Promise<boolean> {
    if (knownTokens.has(asset) || described.has(asset)) return true
    if ((await store.readDocument(tokenMetadata, asset)) === undefined) return false
    described.add(asset)
    return true
  }

  async function describeTokens(
    contracts: ContractReader,
    assets: Iterable<AssetId>,
    block: number,
  ): Promise<void> {
    let left = mostTokens
    for (const asset of assets) {
      if (left === 0) return
      if (await isDescribed(asset)) continue
      left--
      const claims = await contracts.claims(asset, block)
      await writeOnce(store, asset, { ...claims, block })
      described.add(asset)
    }
  }

  async function recordCode(
    contracts: ContractReader,
    accounts: Iterable<Account>,
    block: number,
  ): Promise<void> {
    const added = await documentsAfter(store, 'code', codeRead)
    codeRead += added.length
    for (const { value } of added)
      for (const account of (value as { accounts: Account[] }).accounts) asked.add(account)
    const found: Account[] = []
    for (const account of [...accounts].filter((one) => !asked.has(one)).slice(0, mostAccounts)) {
      if (await contracts.hasCode(account, block)) found.push(account)
      if (asked.size > rememberedAccounts) asked.clear()
      asked.add(account)
    }
    if (found.length > 0) await appendDocument(store, 'code', { accounts: found, block })
  }

  return {
    async note(contracts, wallet, { transfers, block }) {
      try {
        await describeTokens(contracts, tokensOf(wallet, transfers), block)
        await recordCode(contracts, exchangersIn(transfers), block)
      } catch (error) {
        // What a node does not offer stays unknown, and keeps nobody from the transfers.
        if (!(error instanceof KnownError && error.code === 'rpc.refused')) throw error
      }
    },
  }
}

async function writeOnce(store: Store, asset: AssetId, value: object): Promise<void> {
  try {
    await store.writeDocument(tokenMetadata, asset, 0, value)
  } catch (error) {
    if (!(error instanceof KnownError && error.code === 'document.conflict')) throw error
  }
}

function tokensOf(wallet: Account, transfers: readonly Transfer[]): Set<AssetId> {
  const own = transfers.filter(({ from, to }) => from === wallet || to === wallet)
  return new Set(
    own.map(({ asset }) => asset).filter((asset) => tokenContract(asset) !== undefined),
  )
}

/**
 * Who, in a transaction of several assets, both got and gave, and did not sign: a pool or a router if code stands
 * there. Who sent an internal transfer is known to have code.
 */
function exchangersIn(transfers: readonly Transfer[]): Set<Account> {
  const found = new Set<Account>()
  for (const legs of Map.groupBy(transfers.filter(movesValue), ({ tx }) => tx).values()) {
    const moving = legs.filter(({ kind }) => kind !== 'fee')
    if (new Set(moving.map(({ asset }) => asset)).size < 2) continue
    const payers = new Set(moving.map(({ from }) => from))
    const callers = new Set(
      moving.filter(({ kind }) => kind === 'internal').map(({ from }) => from),
    )
    for (const { to, signer } of moving)
      if (to !== undefined && to !== signer && payers.has(to) && !callers.has(to)) found.add(to)
  }
  return found
}
