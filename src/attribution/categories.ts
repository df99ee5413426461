/** How a lot ends at an address of a category; `pool` marks trusted pools. */
export type CategoryOutcome =
  | 'service'
  | 'mixer'
  | 'bridge'
  | 'contract_custody'
  | 'burned'
  | 'pool'

/** Category to outcome (design section 7). What is not here ends no trace. */
const shipped: Readonly<Record<string, CategoryOutcome>> = {
  exchange: 'service',
  gambling: 'service',
  payment_processor: 'service',
  hosted_wallet: 'service',
  deposit_wallet: 'service',
  mixing_service: 'mixer',
  defi_bridge: 'bridge',
  defi_lending: 'contract_custody',
  staking: 'contract_custody',
  vault: 'contract_custody',
  burn: 'burned',
  defi_dex: 'pool',
}

/** Words of label files for the same concepts. `hot_wallet` and `cold_wallet` are an exchange's own. */
const aliases: ReadonlyMap<string, string> = new Map(
  Object.entries({
    mixer: 'mixing_service',
    bridge: 'defi_bridge',
    dex: 'defi_dex',
    cex: 'exchange',
    hot_wallet: 'exchange',
    cold_wallet: 'exchange',
    lending: 'defi_lending',
    sanctioned: 'sanction',
  }),
)

/** Addresses of these categories are contracts: nobody runs a pool, a bridge or a vault from a wallet. */
const contracts = new Set([
  'contract',
  'token_contract',
  'multisig',
  'defi_dex',
  'defi_bridge',
  'defi_lending',
  'staking',
  'vault',
])

const adverse = new Set([
  'sanction',
  'blocked',
  'black_list',
  'malicious',
  'perpetrator',
  'scam',
  'phishing',
  'hack',
  'ransomware',
  'ponzi_scheme',
  'investment_fraud',
  'human_trafficking',
])

/** The concept that a word of a label file stands for; words that are no alias stay as they are. */
export function conceptOf(word: string): string {
  const name = word
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_')
  return aliases.get(name) ?? name
}

/** A tag of these categories is never hidden by another. */
export function isAdverse(category: string): boolean {
  return adverse.has(conceptOf(category))
}

/** True for categories whose addresses have code; an exchange, say, has both wallets and contracts. */
export function isContract(category: string): boolean {
  return contracts.has(conceptOf(category))
}

export type CategoryTable = ReadonlyMap<string, CategoryOutcome>

/** The shipped table with an operator's own categories added or changed. */
export function categoryTable(
  own: Iterable<readonly [string, CategoryOutcome]> = [],
): CategoryTable {
  return new Map([...Object.entries(shipped), ...own])
}
