import { lookup as systemLookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { KnownError } from '../../src/ledger/errors.ts'

/** What a name stands for; the system's own resolver unless a test says otherwise. */
export type Resolve = (
  hostname: string,
) => Promise<readonly { readonly address: string; readonly family: number }[]>

export interface AddressGuard {
  /** For every connection anew, since a name may stand for another machine a second later. */
  readonly lookup: LookupFunction
  /** @throws KnownError `rpc.forbidden-address` when the connection stands to an address that the guard forbids */
  checkConnected(address: string | undefined): void
}

export interface GuardOptions {
  /** Take names that stand for private addresses, for nodes in the operator's own network. */
  readonly allowPrivate?: boolean
  readonly resolve?: Resolve
}

/**
 * Keeps a public name from leading into the operator's own network. An address that stands in the configured URL
 * itself (`http://127.0.0.1:8545`, in whatever notation) is what the operator meant, and is allowed alone;
 * `localhost` is allowed to be loopback; any other name must stand for public addresses only, at each connection.
 *
 * @param hostname - of the configured URL, as WHATWG URLs normalise it.
 */
export function guardAddress(hostname: string, options: GuardOptions = {}): AddressGuard {
  const literal = plain(hostname.replace(/^\[|\]$/g, ''))
  const isAllowed = (address: string): boolean =>
    options.allowPrivate === true ||
    (literal !== undefined && plain(address) === literal) ||
    (isLocalhost(hostname) ? isLoopback(address) : isPublicAddress(address))
  const resolve: Resolve =
    options.resolve ?? ((name) => systemLookup(name, { all: true, verbatim: true }))
  const resolved = async (name: string) => {
    const found = await resolve(name)
    // One private address among public ones is refused as a whole: nobody names a node so by accident.
    if (!found.every(({ address }) => isAllowed(address))) throw forbidden()
    return found
  }
  return {
    lookup(name, given, callback) {
      resolved(name).then(
        (found) => {
          const [first] = found
          if (!first) callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '', 0)
          else if (given.all) callback(null, [...found])
          else callback(null, first.address, first.family)
        },
        (error: unknown) => callback(error instanceof Error ? error : new Error('dns'), '', 0),
      )
    },
    checkConnected(address) {
      if (address !== undefined && !isAllowed(address)) throw forbidden()
    },
  }
}

function isLocalhost(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost')
}

/** True for addresses of the public internet: neither private, loopback, link-local, nor a way round to such. */
export function isPublicAddress(address: string): boolean {
  return rangeOf(address) === 'unicast'
}

function isLoopback(address: string): boolean {
  return rangeOf(address) === 'loopback'
}

function rangeOf(address: string): string {
  const known = plain(address)
  return known === undefined ? 'unknown' : ipaddr.parse(known).range()
}

/** One notation for each address: an IPv4 address written as IPv6 (`::ffff:127.0.0.1`) counts as what it is. */
function plain(address: string): string | undefined {
  const bare = address.split('%')[0] ?? ''
  return isIP(bare) === 0 ? undefined : ipaddr.process(bare).toString()
}

function forbidden(): KnownError {
  return new KnownError(
    'rpc.forbidden-address',
    'the name of the node stands for a private address',
    {
      hint: 'Give the address itself, or set JEJAK_ALLOW_PRIVATE_RPC=1 if the node is in your own network.',
    },
  )
}
