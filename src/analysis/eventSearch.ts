/** Index of the first of ascending transfers that is at or above a transfer. */
export function firstAtOrAbove(events: Uint32Array, transfer: number): number {
  let low = 0
  let high = events.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((events[middle] as number) < transfer) low = middle + 1
    else high = middle
  }
  return low
}
