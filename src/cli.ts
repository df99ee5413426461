import { CommanderError } from 'commander'
import { exitCodes, report } from './cli/exitCodes.ts'
import { createProgram } from './cli/program.ts'

// A reader such as `head` may close the pipe early: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok)
  throw error
})

try {
  await createProgram(process.env).parseAsync()
} catch (error) {
  if (error instanceof CommanderError)
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  else process.exitCode = report(error)
}
