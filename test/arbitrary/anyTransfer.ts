import fc from 'fast-check'
import type { Account } from '../../src/ledger/account.ts'
import type { AssetId } from '../../src/ledger/asset.ts'
import type { ChainId } from '../../src/ledger/chain.ts'
import { kinds, type Transfer } from '../../src/ledger/transfer.ts'
import { hash, wallet } from '../ledger.arbitrary.ts'

/** Accounts of several chains, opaque ones among them. */
const account = fc.oneof(
  fc.nat(9).map(wallet),
  fc.bigInt(0n, 2n ** 160n - 1n).map((n) => `eip155:56:0x${n.toString(16).padStart(40, '0')}`),
  fc.constantFrom(
    'tron:0x2b6653dc:TFdTr9C3BqQrzKBXqSxJfAZFTh8UwBAfSg',
    'tron:0x2b6653dc:tfdtr9c3bqqrzkbxqsxjfazfth8uwbafsg',
    'bip122:000000000019d6689c085ae165831e93:128Lkh3S7CkDTBZ8W7BbpsN3YYizJMp8p6',
  ),
) as fc.Arbitrary<Account>

const transaction = fc.oneof(
  fc.nat(20).map(hash),
  fc.bigInt(0n, 2n ** 256n - 1n).map((n) => `0x${n.toString(16).padStart(64, '0')}`),
  fc.constantFrom('reward:17000000', 'withdrawal:12', 'their-own-7', 'F'.repeat(128)),
)

const asset = fc.constantFrom(
  'eip155:1/slip44:60',
  'eip155:56/erc20:0x55d398326f99059ff775485246999027b3197955',
  'tron:0x2b6653dc/trc20:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t',
) as fc.Arbitrary<AssetId>

const amount = fc.oneof(
  fc.bigInt(0n, 2n ** 256n - 1n),
  fc.bigInt(0n, 1000n),
  fc.constantFrom(2n ** 32n, 2n ** 64n, 2n ** 96n, 2n ** 128n - 1n, 2n ** 128n, 2n ** 256n - 1n),
)

const missing = { freq: 2, nil: undefined } as const

/** Transfers of every form that a source may tell, whether or not they make sense together. */
export const anyTransfer: fc.Arbitrary<Transfer> = fc
  .record({
    chain: fc.constantFrom('eip155:1', 'eip155:56', 'tron:0x2b6653dc') as fc.Arbitrary<ChainId>,
    block: fc.oneof(fc.nat(50), fc.nat({ max: Number.MAX_SAFE_INTEGER })),
    blockHash: fc.option(transaction, missing),
    time: fc.oneof(fc.nat(50), fc.nat({ max: 2 ** 40 })),
    tx: transaction,
    txIndex: fc.option(fc.oneof(fc.nat(5), fc.nat(2 ** 31 - 1)), missing),
    signer: fc.option(account, missing),
    kind: fc.constantFrom(...kinds),
    position: fc.oneof(fc.nat(5), fc.nat(2 ** 32 - 1)),
    asset,
    from: fc.option(account, missing),
    to: fc.option(account, missing),
    amount,
    flags: fc.constantFrom([], ['wrap'], ['spam', 'wrap']),
  })
  .map(
    (fields) =>
      Object.fromEntries(
        Object.entries(fields).filter(([, value]) => value !== undefined),
      ) as unknown as Transfer,
  )
