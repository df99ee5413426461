/**
 * Work that can be left and taken up again: it yields every few milliseconds, so that a service may answer others
 * in between. What it gives does not depend on who drives it, or how.
 */
export type Sliced<T> = Generator<undefined, T, undefined>

/** Transfers that a sweep passes between two yields: some milliseconds on a slow machine, before it is warm. */
export const sliceLength = 1 << 15

/** The same where more is done for each. */
export const shortSlice = sliceLength / 4

/** Does sliced work in one go. */
export function finished<T>(work: Sliced<T>): T {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
  }
}
