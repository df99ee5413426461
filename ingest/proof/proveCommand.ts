import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'
import { readConfig } from '../../src/config.ts'
import { type Account, accountChain, parseAccount } from '../../src/ledger/account.ts'
import { type AssetId, parseAsset } from '../../src/ledger/asset.ts'
import { type ChainId, parseChain } from '../../src/ledger/chain.ts'
import type { BlockInterval } from '../../src/ledger/coverage.ts'
import { KnownError } from '../../src/ledger/errors.ts'
import { isKind, type Kind } from '../../src/ledger/transfer.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { createNode, type RpcNode } from '../rpc/node.ts'
import { wholeNumber } from '../rpc/values.ts'
import { wrappedAssets } from '../wrappedAssets.ts'
import type { GivenAnchor } from './anchorage.ts'
import { proofOutput } from './proofOutput.ts'
import { prove } from './prove.ts'

/** What the command line asks for. */
interface Asked {
  readonly store: string
  readonly account: Account | undefined
  readonly range: BlockInterval | undefined
  readonly transactions: readonly NamedTransaction[]
  readonly urls: readonly string[]
  readonly anchors: readonly GivenAnchor[]
  readonly kinds: readonly Kind[] | undefined
  readonly tokens: readonly AssetId[]
  readonly likeEthereum: boolean
  readonly yes: boolean
  readonly json: boolean
}

interface NamedTransaction {
  /** Absent: the endpoints' chain. */
  readonly chain: ChainId | undefined
  readonly hash: string
}

/**
 * `ingest/main.ts prove`: proves an account's transfers in a range, or single transactions. URLs come by environment,
 * since they may carry keys, one on each line or separated by blanks.
 */
export async function runProveCommand(args: string[]): Promise<number> {
  const asked = readAsked(args)
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  const { neo4j, allowPrivateRpc } = readConfig(process.env)
  const store = await openStore({ location: asked.store, neo4j })
  try {
    const endpoints = asked.urls.map((url) =>
      createNode(url, { signal: stop.signal, allowPrivate: allowPrivateRpc }),
    )
    return await proveAsked(store, asked, { endpoints, signal: stop.signal })
  } catch (error) {
    if (!stop.signal.aborted) throw error
    console.error('Stopped. What is proven so far is stored; the same command goes on from there.')
    return 130
  } finally {
    await store.close()
  }
}

async function proveAsked(
  store: Store,
  asked: Asked,
  with_: { readonly endpoints: readonly RpcNode[]; readonly signal: AbortSignal },
): Promise<number> {
  const [first, ...others] = with_.endpoints
  if (!first) throw usage('no node is named', 'Give --rpc URL, better twice with two operators.')
  const chain = await sharedChain([first, ...others])
  if (asked.account !== undefined && accountChain(asked.account) !== chain) {
    throw new KnownError(
      'chain.mismatch',
      `the node serves ${chain}, the account is on ${accountChain(asked.account)}`,
      { hint: 'Name nodes of that chain.' },
    )
  }
  const wrapped = await wrappedAssets(store)
  const output = proofOutput(asked.json)
  const report = await prove({
    store,
    chain,
    endpoints: [first, ...others],
    anchors: asked.anchors,
    isWrapped: (asset) => wrapped.has(asset),
    isEthereum: chain === 'eip155:1',
    likeEthereum: asked.likeEthereum,
    kinds: asked.kinds,
    tokens: new Set(asked.tokens),
    account: asked.account,
    range: asked.range,
    transactions: onChain(asked.transactions, chain),
    signal: with_.signal,
    agreesToCost: async (cost) => {
      output.cost(cost)
      return asked.yes || askPerson()
    },
    tell: output.event,
  })
  output.done(report)
  return report.ok ? 0 : 1
}

async function askPerson(): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw usage('nobody is there to agree to the cost', 'Give --yes to go on without being asked.')
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(?:es)?$/i.test((await terminal.question('Go on? [y/N] ')).trim())
  } finally {
    terminal.close()
  }
}

async function sharedChain(endpoints: readonly RpcNode[]): Promise<ChainId> {
  const chains = await Promise.all(
    endpoints.map(
      async (node) =>
        `eip155:${wholeNumber(await node.call('eth_chainId', []), 'the chain id')}` as ChainId,
    ),
  )
  const [first] = chains
  const other = chains.find((chain) => chain !== first)
  if (first !== undefined && other === undefined) return first
  throw new KnownError('chain.mismatch', `the endpoints serve ${first} and ${other}`, {
    hint: 'Name nodes of one chain.',
  })
}

function readAsked(args: string[]): Asked {
  const { values, positionals } = parsed(args)
  const [account, ...more] = positionals
  if (more.length > 0) throw usage('more than one account is named', 'Prove one after another.')
  const transactions = [...(values.tx ?? []), ...fromFile(values.transactions)]
  if ((account === undefined) === (transactions.length === 0))
    throw usage(
      'name an account with --blocks A-B, or transactions with --tx',
      '`jejak prove --help` shows both.',
    )
  if ((account === undefined) !== (values.blocks === undefined))
    throw usage('an account is proven over --blocks A-B', 'Write --blocks 17000000-17100000.')
  return {
    store: values.store ?? './jejak-data',
    account: account === undefined ? undefined : parseAccount(account),
    range: values.blocks === undefined ? undefined : blockRange(values.blocks),
    transactions: transactions.map(transaction),
    urls: values.rpc ?? (process.env['JEJAK_INGEST_RPC'] ?? '').split(/\s+/).filter(Boolean),
    anchors: (values.anchor ?? []).map(anchor),
    kinds: values.kinds === undefined ? undefined : values.kinds.split(',').map(kind),
    tokens: (values.token ?? []).map(parseAsset),
    likeEthereum: values['ethereum-forms'] ?? false,
    yes: values.yes ?? false,
    json: values.json ?? false,
  }
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        store: { type: 'string' },
        blocks: { type: 'string' },
        rpc: { type: 'string', multiple: true },
        anchor: { type: 'string', multiple: true },
        kinds: { type: 'string' },
        token: { type: 'string', multiple: true },
        tx: { type: 'string', multiple: true },
        transactions: { type: 'string' },
        'ethereum-forms': { type: 'boolean' },
        yes: { type: 'boolean' },
        json: { type: 'boolean' },
      },
    })
  } catch (error) {
    throw usage(
      error instanceof Error ? error.message : String(error),
      '`jejak prove --help` lists the options.',
    )
  }
}

function fromFile(path: string | undefined): string[] {
  if (path === undefined) return []
  return readFileSync(path, 'utf8').split(/\s+/).filter(Boolean)
}

function usage(message: string, hint: string): KnownError {
  return new KnownError('request.invalid', message, { hint })
}

function blockRange(text: string): BlockInterval {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(text)
  const range = { from: Number(match?.[1]), to: Number(match?.[2]) }
  if (!match || range.from > range.to)
    throw usage(`--blocks "${text}" is no range`, 'Write it as 17000000-17100000, digits only.')
  return range
}

function anchor(text: string): GivenAnchor {
  const match = /^(\d{1,15})=(0x[0-9a-f]{64})$/i.exec(text)
  if (!match) throw usage(`--anchor "${text}"`, 'Write BLOCK=HASH: 17000000=0x and 64 digits.')
  return { block: Number(match[1]), hash: String(match[2]).toLowerCase() }
}

function kind(text: string): Kind {
  if (isKind(text.trim())) return text.trim() as Kind
  throw usage(`--kinds "${text}"`, 'Give some of token,native,fee,withdrawal,internal.')
}

function transaction(text: string): NamedTransaction {
  const colon = text.lastIndexOf(':')
  const hash = text.slice(colon + 1).toLowerCase()
  if (!/^0x[0-9a-f]{64}$/.test(hash))
    throw usage(`"${text.slice(0, 100)}" is no transaction hash`, 'Give 0x and 64 hex digits.')
  return { chain: colon < 0 ? undefined : parseChain(text.slice(0, colon)), hash }
}

/** Those of other chains are told: they need endpoints of their own. */
function onChain(transactions: readonly NamedTransaction[], chain: ChainId): string[] {
  const own = transactions.filter((named) => named.chain === undefined || named.chain === chain)
  const others = transactions.length - own.length
  if (others > 0)
    console.error(`${others} transactions are on other chains than ${chain}: prove them there.`)
  return own.map(({ hash }) => hash)
}
