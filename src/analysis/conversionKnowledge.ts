import type { BridgeMatch } from '../ledger/bridgeMatch.ts'
import type { ConversionKnowledge } from '../ledger/conversionKnowledge.ts'
import type { Rational } from '../ledger/rational.ts'

export type { BridgeMatch, ConversionKnowledge, Rational }

/** Nothing is known but ledger and tags. */
export const noConversionKnowledge: ConversionKnowledge = {
  isPool: () => false,
  isKnownPool: () => false,
  value: () => undefined,
  hasRecords: false,
  recordsOf: () => [],
  leaving: () => [],
  arriving: () => [],
  hasCode: () => false,
  digest: '',
}
