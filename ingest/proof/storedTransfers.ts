import type { Account } from '../../src/ledger/account.ts'
import type { Transfer } from '../../src/ledger/transfer.ts'
import type { Store } from '../../src/store/store.ts'

/**
 * Canonical transfers of an account, in ledger order.
 *
 * Cost: for each 10,000 of them what `transfersTouching` costs: in the embedded store a scan of the log.
 */
export async function* storedTransfers(store: Store, account: Account): AsyncGenerator<Transfer> {
  const accounts = new Set([account])
  for (let after: string | undefined; ; ) {
    const page = await store.transfersTouching({
      accounts,
      limit: 10_000,
      ...(after === undefined ? {} : { after }),
    })
    yield* page.transfers
    if (page.next === undefined) return
    after = page.next
  }
}
