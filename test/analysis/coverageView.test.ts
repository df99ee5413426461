import { expect, test } from 'vitest'
import { createCoverageView } from '../../src/analysis/coverageView.ts'
import type { Coverage } from '../../src/ledger/coverage.ts'
import type { Assurance } from '../../src/ledger/reconcile.ts'
import { usd, wallet } from '../ledger.arbitrary.ts'

function claim(fromBlock: number, toBlock: number, assurance: Assurance): Coverage {
  return {
    account: wallet(1),
    kind: 'token',
    fromBlock,
    toBlock,
    assurance,
    source: `s${assurance}`,
  }
}

const through = (...claims: Coverage[]) =>
  createCoverageView(claims).through(wallet(1), usd, { fromBlock: 5, side: 'out' })

test('in each block the best claim counts, over all blocks the weakest', () => {
  expect(through(claim(0, 20, 1), claim(0, 20, 3))).toEqual({ block: 20, assurance: 3 })
  expect(through(claim(0, 20, 1), claim(5, 19, 3))).toEqual({ block: 20, assurance: 1 })
  expect(through(claim(0, 9, 3), claim(10, 20, 2))).toEqual({ block: 20, assurance: 2 })
  expect(through(claim(0, 20, 0), claim(0, 12, 2), claim(11, 20, 3))).toEqual({
    block: 20,
    assurance: 2,
  })
  // What lies before the block that is asked about does not count.
  expect(through(claim(0, 4, 0), claim(5, 20, 3))).toEqual({ block: 20, assurance: 3 })
})
