import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Interface, type InterfaceAbi } from 'ethers'
import type { Anvil } from './anvil.ts'

interface Compiled {
  readonly abi: InterfaceAbi
  readonly bytecode: string
}

/** Contracts of the fixtures, of issuers, and of the market. */
const compiled: Readonly<Record<string, Compiled>> = Object.assign(
  {},
  ...['compiled.json', 'compiledIssuers.json', 'market.json'].map((file) =>
    JSON.parse(readFileSync(new URL(`./contracts/${file}`, import.meta.url), 'utf8')),
  ),
)

/** A contract of the fixtures on a chain. */
export interface Deployed {
  readonly address: string
  readonly abi: Interface
}

/** Deploys and calls contracts on anvil from its unlocked accounts. */
export interface Scene {
  readonly people: readonly string[]
  /** Addresses without a key that take part. */
  readonly others: string[]
  deploy(name: string, args?: readonly unknown[], value?: bigint): Promise<Deployed>
  /** Sends a transaction; it is mined at once unless mining is off. Gas is given, so that failing ones are sent too. */
  send(
    from: string,
    to: string | null,
    options?: { readonly data?: string; readonly value?: bigint },
  ): Promise<string>
  call(
    from: string,
    contract: Deployed,
    name: string,
    args: readonly unknown[],
    value?: bigint,
  ): Promise<string>
}

/** @param common - fields of every transaction, such as a gas price. */
export async function createScene(
  anvil: Anvil,
  common: Readonly<Record<string, string>> = {},
): Promise<Scene> {
  const people = (await anvil.call('eth_accounts')) as string[]
  const maker = people[0] as string

  async function send(
    from: string,
    to: string | null,
    options: { readonly data?: string; readonly value?: bigint } = {},
  ): Promise<string> {
    const transaction = {
      ...common,
      from,
      ...(to === null ? {} : { to }),
      gas: '0x200000',
      ...(options.data === undefined ? {} : { data: options.data }),
      value: `0x${(options.value ?? 0n).toString(16)}`,
    }
    const tx = (await anvil.call('eth_sendTransaction', [transaction])) as string
    await mined(anvil, tx)
    return tx
  }

  return {
    people,
    others: [],
    send,
    async deploy(name, args = [], value = 0n) {
      const found = compiled[name]
      if (!found) throw new RangeError(`there is no contract ${name}`)
      const abi = new Interface(found.abi)
      const tx = await send(maker, null, {
        data: found.bytecode + abi.encodeDeploy(args).slice(2),
        value,
      })
      const receipt = await mined(anvil, tx)
      return { address: receipt.contractAddress, abi }
    },
    call: (from, contract, name, args, value = 0n) =>
      send(from, contract.address, { data: contract.abi.encodeFunctionData(name, args), value }),
  }
}

/** anvil mines at once, but answers before it has. */
async function mined(anvil: Anvil, tx: string): Promise<{ readonly contractAddress: string }> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const receipt = await anvil.call('eth_getTransactionReceipt', [tx])
    if (receipt !== null) return receipt as { readonly contractAddress: string }
    await sleep(10)
  }
  throw new Error(`${tx} was not mined`)
}
