/** The door of the control thread of a jobmanager or taskmanager. */
import { Socket } from 'node:net'
import process from 'node:process'
import { parentPort, workerData } from 'node:worker_threads'
import type { ControlThreadSettings } from '../cluster/control/control-thread-messages.ts'
import { runControlThread } from '../cluster/control/run-control-thread.ts'
import { encodeLife, lifeLine } from '../cluster/supervision.ts'
import { SystemClock } from '../common/clock.ts'
import { SystemRandom } from '../common/random.ts'

const { [lifeLine.variable]: descriptor } = process.env
const showLife = descriptor === undefined ? undefined : openLifeLine(Number(descriptor))

runControlThread({
  port: {
    post: message => parentPort?.postMessage(message),
    listen: take => void parentPort?.on('message', take),
    close: () => parentPort?.close(),
  },
  settings: workerData as ControlThreadSettings,
  clock: new SystemClock(),
  random: new SystemRandom(),
  ...(showLife === undefined ? {} : { showLife }),
})

/** One that stands still gets no more than the pipe holds; of one that died others tell. */
function openLifeLine(fd: number): (keptMs: number) => void {
  const pipe = new Socket({ fd, readable: false, writable: true })
  pipe.on('error', () => {}).unref()
  return keptMs => {
    if (pipe.writable && !pipe.writableNeedDrain) pipe.write(encodeLife(keptMs))
  }
}
