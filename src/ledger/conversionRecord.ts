import type { Account } from './account.ts'

/** What ingest decoded from a pool's event: who got what the pool paid. */
export interface PoolPayment {
  readonly pool: Account
  readonly recipient: Account
}
