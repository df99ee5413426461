import { loadColumns, saveColumns } from './columnFile.ts'
import type { Columns } from './columns.ts'
import { answer } from './thread.ts'

/** Thread that reads and writes column files: hundreds of megabytes, while others want answers. */

export type ColumnFileTask =
  | { readonly folder: string; readonly save: Columns }
  | { readonly folder: string; readonly load: Parameters<typeof loadColumns>[1] }

answer((task: ColumnFileTask) =>
  'save' in task ? saveColumns(task.folder, task.save) : loadColumns(task.folder, task.load),
)
