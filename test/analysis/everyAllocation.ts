import type { Account } from '../../src/ledger/account.ts'
import { type Transfer, transferId } from '../../src/ledger/transfer.ts'

/**
 * The least and the most that can have reached an account, by trying every way to say which units paid for which payment:
 * slow and plain. All transfers are of one asset, in order, and nobody pays what he does not have.
 */
export function everyAllocation(
  transfers: readonly Transfer[],
  seeds: ReadonlySet<string>,
  target: Account,
): { readonly min: bigint; readonly max: bigint } {
  const accounts = [...new Set(transfers.flatMap(({ from, to }) => [from, to]))]
  const place = (account: Account | undefined): number => accounts.indexOf(account)
  const held = accounts.map(() => 0n)
  // Stolen units per account and at the target, each way to get there once.
  let all = new Map([['', { stolen: accounts.map(() => 0n), there: 0n }]])
  for (const transfer of transfers) {
    const { from, to, amount } = transfer
    const next = new Map<string, { stolen: bigint[]; there: bigint }>()
    for (const { stolen, there } of all.values()) {
      const tainted = from === undefined ? 0n : (stolen[place(from)] as bigint)
      const clean = from === undefined ? amount : (held[place(from)] as bigint) - tainted
      const least = amount > clean ? amount - clean : 0n
      const most = amount < tainted ? amount : tainted
      for (let part = least; part <= most; part++) {
        const after = [...stolen]
        if (from !== undefined) after[place(from)] = tainted - part
        const brought = seeds.has(transferId(transfer)) ? amount : part
        const arrives = to === target
        if (to !== undefined && !arrives) after[place(to)] = (after[place(to)] as bigint) + brought
        const reached = arrives ? there + brought : there
        next.set(`${after.join()} ${reached}`, { stolen: after, there: reached })
      }
    }
    if (from !== undefined) held[place(from)] = (held[place(from)] as bigint) - amount
    if (to !== undefined) held[place(to)] = (held[place(to)] as bigint) + amount
    all = next
  }
  const found = [...all.values()].map(({ there }) => there).sort((a, b) => (a < b ? -1 : 1))
  return { min: found[0] ?? 0n, max: found.at(-1) ?? 0n }
}
