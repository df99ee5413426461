/** The parcels of every account, and the order in which an account spends them (design 8.1). */
import type { Account } from '../../src/ledger/account.ts'
import { arranged, type Parcel, type Rounding, sum, take } from './parcels.ts'
import type { Method } from './question.ts'

export interface Accounts {
  /** An outflow, with what it went beyond the balance. */
  readonly pay: (
    account: Account,
    asset: string,
    amount: bigint,
  ) => { readonly parts: readonly Parcel[]; readonly missing: bigint }
  readonly receive: (account: Account, asset: string, parts: readonly Parcel[]) => void
  /** "What is left joins the balance at the transaction's end in order of arrival." */
  readonly settle: () => void
  readonly held: () => readonly { account: Account; asset: string; parcels: readonly Parcel[] }[]
}

/** An account is one (address, asset). */
interface Holder {
  readonly account: Account
  readonly asset: string
  balance: readonly Parcel[]
  /** What the transaction at hand brought, inflow by inflow, in order of arrival. */
  arrived: readonly (readonly Parcel[])[]
}

export function createAccounts(options: {
  readonly method: Method
  readonly matched: boolean
  readonly rounding: Rounding
  readonly opening: (account: Account, asset: string) => bigint
}): Accounts {
  const { method, matched, rounding, opening } = options
  const holders = new Map<string, Holder>()

  function holder(account: Account, asset: string): Holder {
    const known = holders.get(`${account} ${asset}`)
    if (known) return known
    const units = opening(account, asset)
    const made = { account, asset, balance: arranged([{ units }], method), arrived: [] }
    holders.set(`${account} ${asset}`, made)
    return made
  }

  function add(to: Holder, parts: readonly Parcel[]): void {
    if (matched) to.arrived = [...to.arrived, arranged(parts, method)]
    else to.balance = arranged([...to.balance, ...parts], method)
  }

  return {
    pay(account, asset, amount) {
      const payer = holder(account, asset)
      const have = sum(payer.balance) + sum(payer.arrived.flat())
      const missing = amount > have ? amount - have : 0n
      // "An outflow beyond the balance is preceded by a clean inflow of exactly the missing amount."
      if (missing > 0n) add(payer, [{ units: missing }])
      let left = amount
      const from = (parcels: readonly Parcel[]): { paid: Parcel[]; stay: Parcel[] } => {
        const taken = take(parcels, left, method, rounding)
        left -= sum(taken.paid)
        return taken
      }
      // "First spends what that transaction brought it, newest inflow first … the rest from the balance."
      const inflows = payer.arrived.toReversed().map(from).reverse()
      const balance = from(payer.balance)
      payer.arrived = inflows.map(({ stay }) => stay)
      payer.balance = balance.stay
      // "The parts of a transfer stand in the order in which the money reached its sender."
      const parts = [...balance.paid, ...inflows.flatMap(({ paid }) => paid)]
      return { parts: arranged(parts, method), missing }
    },
    receive(account, asset, parts) {
      add(holder(account, asset), parts)
    },
    settle() {
      for (const at of holders.values()) {
        at.balance = arranged([...at.balance, ...at.arrived.flat()], method)
        at.arrived = []
      }
    },
    held: () => [...holders.values()].map((at) => ({ ...at, parcels: at.balance })),
  }
}
