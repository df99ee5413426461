import { boundsPlan } from '../../src/analysis/boundsPlan.ts'
import type { Certificate, Premises } from '../../src/analysis/certificate.ts'
import { certificatesOf } from '../../src/analysis/certify.ts'
import { noConversionKnowledge } from '../../src/analysis/conversionKnowledge.ts'
import { type Extremes, extremesOf } from '../../src/analysis/extremes.ts'
import { corridorOf } from '../../src/analysis/flowCorridor.ts'
import { flowNetwork, type TimedNetwork } from '../../src/analysis/flowNetwork.ts'
import { forwardMoves } from '../../src/analysis/forwardMoves.ts'
import { premisesOf } from '../../src/analysis/premises.ts'
import { provenBalances } from '../../src/analysis/provenBalances.ts'
import { createTagView } from '../../src/attribution/tagView.ts'
import { createTokenTrust } from '../../src/attribution/trustedTokens.ts'
import type { Account } from '../../src/ledger/account.ts'
import type { Tag } from '../../src/ledger/tag.ts'
import type { Transfer, TransferId } from '../../src/ledger/transfer.ts'
import { coveredFor, graphOf } from './traceLedger.ts'

export interface CertifiedBounds extends Extremes {
  readonly premises: Premises
  readonly certificates: readonly Certificate[]
  /** The network as the design defines it, before anything is reduced. */
  readonly unreduced: TimedNetwork
}

/** Extremes of a ledger given as plain transfers, to accounts, with what certifies them. */
export async function boundsLedger(
  transfers: readonly Transfer[],
  question: {
    readonly seeds: readonly string[]
    readonly to: readonly Account[]
    readonly tags?: readonly Tag[]
    readonly covered?: boolean
    readonly batchSize?: number
  },
): Promise<CertifiedBounds> {
  const graph = await graphOf(transfers, question.batchSize)
  const targets = new Set(question.to.map((account) => graph.address(account)))
  const context = {
    tags: createTagView(question.tags ?? []),
    tokens: createTokenTrust(),
    coverage: question.covered === false ? [] : coveredFor(transfers),
    conversions: noConversionKnowledge,
  }
  const scope = {
    seeds: question.seeds as readonly TransferId[],
    asOf: {},
    continueThrough: [],
    neverFollow: [],
    resolve: [],
  }
  const plan = boundsPlan(graph, context, { scope, isTarget: (address) => targets.has(address) })
  const forward = forwardMoves(plan.rules)
  const { asOf, rules, seedTotal } = plan
  const { isBeyond, twins } = rules
  const balances = provenBalances(graph, { ...plan, isBeyond })
  const corridor = corridorOf(forward, {
    isEnd: ({ end }) => end === 'target',
    isResting: () => false,
  })
  const extremes = extremesOf(corridor, { balances, seedTotal })
  const balanceAfter = (holding: number, slot: number): bigint | undefined =>
    balances.state(holding) === 'proven' ? balances.after(holding, slot) : undefined
  return {
    ...extremes,
    unreduced: flowNetwork(corridor, seedTotal, balanceAfter, 'moment'),
    premises: premisesOf(forward, extremes, {
      graph,
      balances,
      asOf,
      twins,
      target: 'target',
      notCovered: [],
    }),
    certificates: certificatesOf(extremes, { graph, isBeyond, asOf, restsAs: () => 'elsewhere' }),
  }
}
