import { existsSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Path of real input that the repository does not ship, below the folder that JEJAK_REAL_DATA names.
 *
 * @returns undefined when the variable is not set: the caller skips, loudly.
 * @throws in CI, where nothing may be skipped, and wherever the variable is set but the input is missing.
 */
export function realData(path: string): string | undefined {
  const root = process.env['JEJAK_REAL_DATA']
  if (root === undefined || root === '') {
    if (process.env['CI'] === 'true')
      throw new Error('JEJAK_REAL_DATA is not set, and CI skips nothing')
    console.warn(
      `SKIPPED for want of real input "${path}": set JEJAK_REAL_DATA to a folder that holds it`,
    )
    return undefined
  }
  const file = join(root, path)
  if (!existsSync(file)) throw new Error(`JEJAK_REAL_DATA has no "${path}"`)
  return file
}
