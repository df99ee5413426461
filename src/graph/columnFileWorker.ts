import { parentPort, workerData } from 'node:worker_threads'
import { loadColumns, saveColumns } from './columnFile.ts'
import type { Columns } from './columns.ts'

/** Thread for one reading or writing of a column file: hundreds of megabytes, while others want answers. */

export type ColumnFileTask =
  | { readonly folder: string; readonly save: Columns }
  | { readonly folder: string; readonly load: Parameters<typeof loadColumns>[1] }

const task = workerData as ColumnFileTask
if ('save' in task) saveColumns(task.folder, task.save)
else parentPort?.postMessage(loadColumns(task.folder, task.load))
