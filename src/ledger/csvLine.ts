/**
 * Splits one CSV record that stands on one line. Quoted cells may hold commas and doubled quotes.
 *
 * @returns undefined when a quote is not closed.
 */
export function splitCsvLine(line: string): string[] | undefined {
  if (!line.includes('"')) return line.split(',')
  const cells: string[] = []
  let at = 0
  for (;;) {
    if (line[at] !== '"') {
      const comma = line.indexOf(',', at)
      if (comma < 0) return [...cells, line.slice(at)]
      cells.push(line.slice(at, comma))
      at = comma + 1
      continue
    }
    let cell = ''
    let end = line.indexOf('"', at + 1)
    while (end >= 0 && line[end + 1] === '"') {
      cell += `${line.slice(at + 1, end)}"`
      at = end + 1
      end = line.indexOf('"', at + 1)
    }
    if (end < 0) return undefined
    cells.push(cell + line.slice(at + 1, end))
    if (end + 1 === line.length) return cells
    if (line[end + 1] !== ',') return undefined
    at = end + 2
  }
}
