/**
 * Puts items whose true order is unknown into causal order: again and again the first item, in the order
 * given, none of whose senders receives from another remaining item; where every remaining item waits for
 * another (a cycle), the first of them.
 *
 * "The first" in a cycle is the first of all remaining items, as the design's sentence reads, also when that
 * item only waits behind the cycle and is not part of it.
 *
 * @param count - items are 0…count−1, already in the order that decides between equals.
 * @param spends - keys of which an item is a sender, each once.
 * @param receives - keys of which an item is a receiver, each once.
 * @returns the items in causal order. Cost O((items + keys) log items).
 */
export function causalOrder(
  count: number,
  spends: (item: number) => readonly number[],
  receives: (item: number) => readonly number[],
): number[] {
  const queue = new CausalQueue(count, spends, receives)
  const order: number[] = []
  while (order.length < count) order.push(queue.take())
  return order
}

class CausalQueue {
  readonly #spends: (item: number) => readonly number[]
  readonly #receives: (item: number) => readonly number[]
  /** For each key the remaining items that receive it. */
  readonly #receivers = new Map<number, Set<number>>()
  readonly #senders = new Map<number, number[]>()
  /** For each item the number of its sender keys that another remaining item still receives. */
  readonly #waitsFor: Int32Array
  readonly #taken: Uint8Array
  readonly #ready: number[] = []
  #firstRemaining = 0

  constructor(
    count: number,
    spends: (item: number) => readonly number[],
    receives: (item: number) => readonly number[],
  ) {
    this.#spends = spends
    this.#receives = receives
    this.#waitsFor = new Int32Array(count)
    this.#taken = new Uint8Array(count)
    for (let item = 0; item < count; item++) {
      for (const key of receives(item)) addTo(this.#receivers, key, new Set<number>()).add(item)
      for (const key of spends(item)) addTo(this.#senders, key, []).push(item)
    }
    for (let item = 0; item < count; item++) {
      this.#waitsFor[item] = spends(item).filter((key) => this.#blocks(key, item)).length
      if (this.#waitsFor[item] === 0) push(this.#ready, item)
    }
  }

  #blocks(key: number, item: number): boolean {
    const receivers = this.#receivers.get(key)
    if (!receivers) return false
    return receivers.size > (receivers.has(item) ? 1 : 0)
  }

  take(): number {
    const item = this.#nextReady() ?? this.#nextRemaining()
    this.#taken[item] = 1
    for (const key of this.#receives(item)) this.#received(key, item)
    return item
  }

  #nextReady(): number | undefined {
    for (let item = pop(this.#ready); item !== undefined; item = pop(this.#ready)) {
      if (!this.#taken[item]) return item
    }
    return undefined
  }

  #nextRemaining(): number {
    while (this.#taken[this.#firstRemaining]) this.#firstRemaining++
    return this.#firstRemaining
  }

  /**
   * After `item` is taken: when nobody else will receive the key, all who spend it are free of it; when one
   * item alone will, that item is, since nobody waits for himself.
   */
  #received(key: number, item: number): void {
    const receivers = this.#receivers.get(key)
    if (!receivers?.delete(item) || receivers.size > 1) return
    const [last] = receivers
    if (last === undefined) for (const sender of this.#senders.get(key) ?? []) this.#free(sender)
    else if (this.#spends(last).includes(key)) this.#free(last)
  }

  #free(sender: number): void {
    if (this.#taken[sender]) return
    const left = (this.#waitsFor[sender] ?? 0) - 1
    this.#waitsFor[sender] = left
    if (left === 0) push(this.#ready, sender)
  }
}

function addTo<V>(map: Map<number, V>, key: number, empty: V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  map.set(key, empty)
  return empty
}

/** A binary heap of numbers in an array, smallest first. */
function push(heap: number[], value: number): void {
  heap.push(value)
  let at = heap.length - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    const above = heap[parent] ?? 0
    if (above <= value) break
    heap[at] = above
    at = parent
  }
  heap[at] = value
}

function pop(heap: number[]): number | undefined {
  const top = heap[0]
  const last = heap.pop()
  if (top === undefined || last === undefined || heap.length === 0) return top
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    const right = heap[child + 1]
    if (right !== undefined && right < (heap[child] ?? 0)) child++
    const below = heap[child] ?? 0
    if (below >= last) break
    heap[at] = below
    at = child
  }
  heap[at] = last
  return top
}
