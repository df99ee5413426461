/**
 * Checks a certificate of a bound against the ledger alone. It knows nothing of networks or of how a bound is found: it
 * adds up (here), walks the transfers in order (`checkCut.ts`) and replays an accounting (`checkFlow.ts`). Whoever doubts
 * a bound needs to trust these files and `certifiedLedger.ts` only.
 */
import { parseAccount } from '../ledger/account.ts'
import { parseAsset } from '../ledger/asset.ts'
import { KnownError } from '../ledger/errors.ts'
import { movesValue, type Transfer } from '../ledger/transfer.ts'
import type { Certificate, CutBalance, Premises } from './certificate.ts'
import { type CertifiedLedger, certifiedLedger, placeKey } from './certifiedLedger.ts'
import { cutFindings } from './checkCut.ts'
import { flowFindings } from './checkFlow.ts'

/**
 * @param transfers - the ledger, in ledger order: at least all rows of the accounts that the seeds can have reached.
 * @returns why the certificate proves nothing; empty where it proves its bound.
 */
export function checkCertificate(
  transfers: readonly Transfer[],
  premises: Premises,
  certificate: Certificate,
): readonly string[] {
  const malformed = amountsOf(certificate).find((amount) => !/^\d{1,78}$/.test(amount))
  if (malformed !== undefined) return [`"${malformed.slice(0, 80)}" is no amount`]
  try {
    const ledger = certifiedLedger(transfers, premises)
    const missing = premises.seeds.find((id) => !ledger.rows.has(id))
    if (missing !== undefined) return [`the ledger has no seed ${missing}`]
    return [
      ...sumFindings(ledger, certificate),
      ...cutFindings(ledger, certificate),
      ...flowFindings(ledger, certificate),
    ]
  } catch (error) {
    if (error instanceof KnownError) return [error.message]
    throw error
  }
}

function amountsOf({ amount, cut, flow, ends }: Certificate): string[] {
  const parts = [...cut.transfers, ...flow, ...ends].map((part) => part.amount)
  return [amount, cut.total, ...cut.balances.map(({ held }) => held), ...parts]
}

/** The cut's numbers are the ledger's, and their sum is the bound. */
function sumFindings(ledger: CertifiedLedger, certificate: Certificate): string[] {
  const { cut, amount, bound } = certificate
  const findings: string[] = []
  const names = [
    ...cut.transfers.map(({ kind, transfer }) => `${kind} ${transfer}`),
    ...cut.balances.map((held) => `${placeKey(held)} ${held.after} ${held.behind}`),
  ]
  if (new Set(names).size !== names.length) findings.push('the cut names something twice')
  for (const { kind, transfer, amount: claimed } of cut.transfers) {
    if (amountOf(ledger, kind, transfer)?.toString() !== claimed)
      findings.push(`the ledger has no ${kind} ${transfer} of ${claimed}`)
  }
  const proven = new Set(ledger.premises.balances.map(placeKey))
  for (const balance of cut.balances) {
    if (proven.has(placeKey(balance))) findings.push(...balanceFindings(ledger, balance))
    else findings.push(`the balance of ${balance.account} is not proven`)
  }
  const held = cut.balances.map((balance) => BigInt(balance.held))
  const total = sum([...cut.transfers.map((entry) => BigInt(entry.amount)), ...held])
  const shown = bound === 'max' ? total : seedTotal(ledger) - total
  if (total.toString() !== cut.total) findings.push(`the cut adds up to ${total}, not ${cut.total}`)
  if (shown.toString() !== amount) findings.push(`the cut proves ${shown}, not ${amount}`)
  return findings
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((all, one) => all + one, 0n)

function seedTotal({ seeds, rows }: CertifiedLedger): bigint {
  return sum([...seeds].map((id) => rows.get(id)?.amount ?? 0n))
}

function amountOf(ledger: CertifiedLedger, kind: string, transfer: string): bigint | undefined {
  if (kind === 'conversion') {
    const given = ledger.premises.conversions.find((entry) => entry.transfer === transfer)
    return given && BigInt(given.amount)
  }
  if (kind === 'seed' && !ledger.seeds.has(transfer)) return undefined
  return ledger.rows.get(transfer)?.amount
}

function balanceFindings(ledger: CertifiedLedger, balance: CutBalance): string[] {
  const account = parseAccount(balance.account)
  const asset = parseAsset(balance.asset)
  const after = ledger.rows.get(balance.after)
  const step = ledger.steps.findIndex(({ rows }) => after !== undefined && rows.includes(after))
  if (!after) return [`the ledger has no transfer ${balance.after}`]
  const rowsOf = (from: number, to?: number): Transfer[] =>
    ledger.steps
      .slice(from, to)
      .flatMap(({ rows }) => rows)
      .filter((row) => row.asset === asset && movesValue(row))
  let held = 0n
  for (const row of rowsOf(0, step + 1)) {
    if (row.to === account) held += row.amount
    if (row.from === account) held -= row.amount
  }
  const next = rowsOf(step + 1).find(({ from }) => from === account)
  const until = next?.block ?? ledger.premises.asOf[after.chain]
  if (held.toString() !== balance.held) return [`${balance.account} held ${held} then`]
  if (after.block !== balance.fromBlock || until !== balance.toBlock)
    return [`${balance.account} held it from block ${after.block} to ${until}`]
  return []
}
