import { createNode } from '../../ingest/rpc/node.ts'

/** A process of its own, so that its memory is what reading one answer takes: `readBigAnswer.ts URL`. */
const [url = ''] = process.argv.slice(2)
const outcome = await createNode(url, { tries: 1 })
  .call('eth_getLogs', [{}])
  .then(
    (logs) => ({ logs: (logs as unknown[]).length }),
    (error: { readonly code: string; readonly message: string }) => ({
      code: error.code,
      message: error.message,
    }),
  )
const residentMiB = Math.round(process.resourceUsage().maxRSS / 1024)
console.log(JSON.stringify({ ...outcome, residentMiB }))
