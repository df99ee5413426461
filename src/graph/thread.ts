import { parentPort, Worker } from 'node:worker_threads'
import { KnownError } from '../ledger/errors.ts'

/** What a thread says. A class does not survive the way between threads: an error of ours goes as its parts. */
type Reply<T> = { readonly value: T } | SaidError

/** An error on its way from one thread to another. */
export type SaidError =
  | { readonly known: Pick<KnownError, 'code' | 'message' | 'facts' | 'hint' | 'retryable'> }
  | { readonly error: unknown }

/** A thread that runs one of our files and answers questions; see {@link ask}. */
export function startThread(file: URL, workerData: unknown = undefined): Worker {
  const worker = new Worker(file, {
    workerData,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  // Between two questions it may fail as it likes: whoever asks next hears of it.
  worker.on('error', () => undefined)
  worker.unref()
  return worker
}

/** In a thread: answers each question that comes, one after another. */
export function answer<Question, T>(work: (question: Question) => T | Promise<T>): void {
  const reply = async (question: Question): Promise<Reply<T>> => {
    try {
      return { value: await work(question) }
    } catch (error) {
      return saidError(error)
    }
  }
  parentPort?.on('message', (question: Question) => {
    void reply(question).then((said) => parentPort?.postMessage(said))
  })
}

/**
 * Asks a thread and waits for the answer; one question at a time. Only while it works does it keep the process alive.
 *
 * @param handedOver - buffers of the question that are given away instead of copied.
 * @throws what the thread threw, or that it stopped
 */
export function ask<T>(
  worker: Worker,
  question: unknown,
  handedOver: readonly ArrayBuffer[] = [],
): Promise<T> {
  worker.ref()
  return new Promise((resolve, reject) => {
    const done = (reply: Reply<T>): void => {
      forget()
      if ('value' in reply) resolve(reply.value)
      else reject(errorOf(reply))
    }
    const failed = (error: unknown): void => {
      forget()
      reject(error)
    }
    const stopped = (code: number): void =>
      failed(new Error(`the thread stopped with code ${code}`))
    const forget = (): void => {
      worker.off('message', done).off('error', failed).off('exit', stopped)
      worker.unref()
    }
    worker.on('message', done).on('error', failed).on('exit', stopped)
    worker.postMessage(question, handedOver)
  })
}

export function saidError(error: unknown): SaidError {
  if (!(error instanceof KnownError)) return { error }
  const { code, message, facts, hint, retryable } = error
  return { known: { code, message, facts, hint, retryable } }
}

/** The error that was said, as its class. */
export function errorOf(said: SaidError): unknown {
  if ('error' in said) return said.error
  const { code, message, facts, retryable, hint } = said.known
  return new KnownError(code, message, {
    facts,
    retryable,
    ...(hint === undefined ? {} : { hint }),
  })
}
