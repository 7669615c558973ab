/** A control thread in the thread of the test: everything but the thread is real. */
import { MessageChannel } from 'node:worker_threads'
import type {
  StartControlThread,
  ToControlThread,
} from '../../src/cluster/control/control-thread-messages.ts'
import { runControlThread } from '../../src/cluster/control/run-control-thread.ts'
import { type Clock, SystemClock } from '../../src/common/clock.ts'
import { SystemRandom } from '../../src/common/random.ts'

export function controlInThread(clock: Clock = new SystemClock()): StartControlThread {
  return settings => {
    const { port1, port2 } = new MessageChannel()
    // As `workerData` is.
    const copied = structuredClone(settings)
    const port = {
      post: (message: unknown) => port1.postMessage(message),
      listen: (take: (message: ToControlThread) => void) => void port1.on('message', take),
      close: () => port1.close(),
    }
    runControlThread({ port, settings: copied, clock, random: new SystemRandom() })
    return {
      post: message => port2.postMessage(message),
      listen: take => void port2.on('message', take),
      close: () => port2.close(),
    }
  }
}
