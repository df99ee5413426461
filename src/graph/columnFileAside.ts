import { columnFileBytes, loadColumns } from './columnFile.ts'
import type { ColumnFileTask } from './columnFileWorker.ts'
import type { Columns } from './columns.ts'
import { ask, startThread } from './thread.ts'

/** A file of so many bytes is read faster than a thread starts. */
const smallFile = 1 << 24

/** The column file of a folder, as {@link loadColumns} reads it; a large one in a thread of its own. */
export async function loadAside(
  folder: string,
  wanted: Parameters<typeof loadColumns>[1],
): Promise<Columns | undefined> {
  if (columnFileBytes(folder) < smallFile) return loadColumns(folder, wanted)
  return inThread({ folder, load: wanted })
}

/** Writes the column file of a folder in a thread of its own. Only a copy: a failure is told, and the log has it all. */
export async function saveAside(folder: string, columns: Columns): Promise<void> {
  try {
    await inThread({ folder, save: columns })
  } catch (error) {
    process.emitWarning(`the column file could not be written: ${String(error)}`)
  }
}

async function inThread(task: ColumnFileTask): Promise<Columns | undefined> {
  const thread = startThread(new URL('./columnFileWorker.ts', import.meta.url))
  try {
    return await ask<Columns | undefined>(thread, task)
  } finally {
    await thread.terminate()
  }
}
