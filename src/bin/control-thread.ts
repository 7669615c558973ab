/** The door of the control thread of a jobmanager or taskmanager. */
import { parentPort, workerData } from 'node:worker_threads'
import type { ControlThreadSettings } from '../cluster/control/control-thread-messages.ts'
import { runControlThread } from '../cluster/control/run-control-thread.ts'
import { SystemClock } from '../common/clock.ts'
import { SystemRandom } from '../common/random.ts'

runControlThread({
  port: {
    post: message => parentPort?.postMessage(message),
    listen: take => void parentPort?.on('message', take),
    close: () => parentPort?.close(),
  },
  settings: workerData as ControlThreadSettings,
  clock: new SystemClock(),
  random: new SystemRandom(),
})
