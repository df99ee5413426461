/** Whole 32-byte words of log data; a rest that is no word, or more than three words, makes the log something else. */
export function wordsOf(data: string): string[] {
  const hex = data.startsWith('0x') ? data.slice(2) : data
  if (hex.length % 64 !== 0 || hex.length > 192 || !/^[0-9a-f]*$/i.test(hex))
    return ['', '', '', '']
  return Array.from({ length: hex.length / 64 }, (_, i) => `0x${hex.slice(64 * i, 64 * i + 64)}`)
}
