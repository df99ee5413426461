/**
 * Place of the first of some ascending numbers that is not below a value; their count when all are.
 *
 * @example firstNotBelow([2, 4, 4, 9], 4) // 1
 */
export function firstNotBelow(sorted: ArrayLike<number>, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}
