/** Numbers of transactions, smallest first, each given out once however often it was pushed. */
export interface TransactionHeap {
  push(transaction: number): void
  pop(): number | undefined
}

export function createTransactionHeap(): TransactionHeap {
  const heap: number[] = []
  const queued = new Set<number>()

  function siftUp(value: number): void {
    let at = heap.push(value) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as number
      if (above <= value) break
      heap[at] = above
      at = parent
    }
    heap[at] = value
  }

  function siftDown(value: number): void {
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && (heap[child + 1] as number) < (heap[child] as number)) child++
      if ((heap[child] as number) >= value) break
      heap[at] = heap[child] as number
      at = child
    }
    heap[at] = value
  }

  return {
    push(transaction) {
      if (queued.has(transaction)) return
      queued.add(transaction)
      siftUp(transaction)
    },
    pop() {
      const top = heap[0]
      const last = heap.pop()
      if (top === undefined || last === undefined) return undefined
      if (heap.length > 0) siftDown(last)
      queued.delete(top)
      return top
    },
  }
}
