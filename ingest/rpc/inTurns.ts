/**
 * Works on what `next` gives, so many at once, until it gives nothing and nothing under way brings more. As soon as one
 * ends the next begins: whoever waits for an answer leaves the line free for others.
 *
 * @throws the first failure, once nothing is under way any more
 */
export async function inTurns<T>(
  most: () => number,
  next: () => T | undefined,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const underWay = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | undefined
  for (;;) {
    while (underWay.size < most() && !failure) {
      const item = next()
      if (item === undefined) break
      const one = work(item).catch((error: unknown) => {
        failure ??= { error }
      })
      const tracked = one.then(() => {
        underWay.delete(tracked)
      })
      underWay.add(tracked)
    }
    if (underWay.size === 0) break
    await Promise.race(underWay)
  }
  if (failure) throw failure.error
}

/** The same over a list; results in its order. */
export async function mapInTurns<T, R>(
  items: readonly T[],
  most: () => number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  const places = items.keys()
  await inTurns(
    most,
    () => places.next().value,
    async (place) => {
      results[place] = await work(items[place] as T)
    },
  )
  return results
}
