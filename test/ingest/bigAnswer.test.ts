import { expect, test } from 'vitest'
import { readBigAnswer } from './bigAnswer.ts'

test.each([
  ['as it is', false],
  ['compressed', true],
])(
  'error: an answer of 150 MB is refused, %s, and is never held whole',
  async (_, isCompressed) => {
    const { code, message, residentMiB } = await readBigAnswer(150, isCompressed)
    expect(code).toBe('rpc.invalid-answer')
    expect(message).toContain('larger than')
    expect(residentMiB).toBeLessThan(512)
  },
)

test('an answer just below the limit is read within the same memory', async () => {
  const { logs, residentMiB } = await readBigAnswer(64)
  expect(logs).toBeGreaterThan(100_000)
  expect(residentMiB).toBeLessThan(512)
})
