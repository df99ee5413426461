/** A bar on a terminal: share, rows, rate, time left. Quiet elsewhere. */
export interface ProgressBar {
  show(state: {
    readonly done: number
    readonly total: number
    readonly rows: number
    readonly unit: string
  }): void
  /** Takes the bar off the screen. */
  clear(): void
}

const redrawMs = 100

export function createProgressBar(output: NodeJS.WriteStream): ProgressBar {
  const started = performance.now()
  let drawn = Number.NEGATIVE_INFINITY
  return {
    show({ done, total, rows, unit }) {
      const now = performance.now()
      if (!output.isTTY || now - drawn < redrawMs) return
      drawn = now
      const share = total === 0 ? 1 : Math.min(1, done / total)
      const seconds = (now - started) / 1000
      const left = share === 0 ? '' : `, ${Math.ceil((seconds / share) * (1 - share))} s left`
      const filled = Math.round(share * 24)
      const bar = `${'█'.repeat(filled)}${'░'.repeat(24 - filled)}`
      const rate = Math.round(rows / Math.max(seconds, 0.001)).toLocaleString('en')
      output.write(
        `\r\x1b[2K${bar} ${Math.floor(share * 100)} %  ${rows.toLocaleString('en')} ${unit}, ${rate}/s${left}`,
      )
    },
    clear() {
      if (output.isTTY && drawn > 0) output.write('\r\x1b[2K')
    },
  }
}
