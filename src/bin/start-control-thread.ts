import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { StartControlThread } from '../cluster/control/control-thread-messages.ts'

/**
 * `door`: the file of the program that runs; that of the thread is beside it. A thread that breaks
 * takes the process with it: nobody could tell any more whether that lives.
 */
export function startControlThread(door: string): StartControlThread {
  return settings => {
    const file = new URL(`control-thread${extname(door)}`, door)
    const worker = new Worker(file, { workerData: settings })
    worker.on('error', error => {
      throw error
    })
    return {
      post: message => worker.postMessage(message),
      listen: take => void worker.on('message', take),
      close: () => void worker.terminate(),
    }
  }
}
