/** A taskmanager process from its start to its end. */
import { hostname } from 'node:os'
import process from 'node:process'
import { type Clock, SystemClock } from '../../common/clock.ts'
import { readConfig } from '../../common/config.ts'
import { isWeirError } from '../../common/errors.ts'
import { makeLogger } from '../../common/logger.ts'
import { SystemRandom } from '../../common/random.ts'
import { DataEndpoint } from '../../runtime/network/data-endpoint.ts'
import { ControlThread } from '../control/control-thread.ts'
import { readTaskManagerConfig, type TaskManagerConfig } from '../process-config.ts'
import { type ProcessHost, processExits } from '../supervision.ts'
import { LocalCopies } from './local-copies.ts'
import { TaskManager } from './task-manager.ts'

/** Gives the exit code of the process. */
export async function runTaskManager(host: ProcessHost): Promise<number> {
  const { logLevel } = readConfig(host.environment)
  const logger = makeLogger({ level: logLevel, write: line => host.log(line) })
  const clock = new SystemClock()
  const random = new SystemRandom()
  let config: TaskManagerConfig
  let endpoint: DataEndpoint
  try {
    config = readTaskManagerConfig(host.environment)
    const { jobId, slot, listen, advertise, secret, tls } = config
    const identity = { jobId, slot, version: host.version }
    const options = { listen, advertise, identity, secret, tls, clock, random, logger }
    endpoint = await DataEndpoint.listen(options)
  } catch (error) {
    logger.error({ err: error }, 'the taskmanager cannot start')
    return isWeirError(error) && error.retry === 'never'
      ? processExits.refused
      : processExits.failed
  }
  const { slot, times, workFolder, stateFolder } = config
  const control = controlThread(config, host, clock)
  const manager = new TaskManager({
    slot,
    control,
    dataPlane: endpoint,
    workFolder,
    copies:
      stateFolder === undefined ? undefined : new LocalCopies({ folder: stateFolder, logger }),
    times,
    process: { pid: host.pid, host: hostname(), figures: ownFigures },
    clock,
    random,
    logger,
  })
  host.supervisor?.onGone(() => void manager.abandon())
  host.onTerm(() => manager.leave())
  logger.info({ slot, pid: host.pid, data: endpoint.address }, 'the taskmanager has started')
  manager.start()
  try {
    await manager.done
    return processExits.ok
  } catch (error) {
    logger.error({ err: error }, 'the taskmanager ends')
    return isWeirError(error) && error.retry === 'never'
      ? processExits.refused
      : processExits.failed
  } finally {
    await Promise.all([endpoint.close(), control.end()])
  }
}

function controlThread(config: TaskManagerConfig, host: ProcessHost, clock: Clock): ControlThread {
  const { slot, jobId, jobManager, secret, tls, times } = config
  const end = { kind: 'dialer', address: jobManager, slot } as const
  const settings = { end, jobId, secret, tls, version: host.version, times }
  return new ControlThread({ settings, start: host.startControlThread, clock })
}

function ownFigures(): { readonly residentBytes: number; readonly cpuSeconds: number } {
  const { user, system } = process.cpuUsage()
  return { residentBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 }
}
