/**
 * Where the messages of taskmanagers arrive at the thread that runs the job.
 *
 * Owns        who has registered.
 * Leaves out  the connections (`control/`), who gets which slot (`slot-registry.ts`).
 *
 * Invariants
 *  Q2  The first message is a registration; a refused one gets the reason, then the end.
 */
import { isWeirError, messageOf } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import type { Registration, ToJobManager } from '../../protocol/control-messages.ts'
import { clusterErrors } from '../cluster-errors.ts'
import type { ConnectionEnd } from '../control/control-connection.ts'
import type { ControlLine, LineListener } from '../control/control-thread.ts'
import { failureReport } from '../failure-report.ts'
import type { SlotLink } from './slot-registry.ts'

/** What becomes of the connections. What a call throws refuses the taskmanager. */
export interface ControlDesk {
  register(registration: Registration, link: SlotLink): void
  take(link: SlotLink, message: Exclude<ToJobManager, Registration>): void
  lost(link: SlotLink, end: ConnectionEnd): void
}

/** A connection came in: gives who listens to it. */
export function receive(line: ControlLine, desk: ControlDesk, logger: Logger): LineListener {
  let registered = false
  const warn = (error: unknown): void => {
    const code = isWeirError(error) ? error.code : undefined
    logger.warn({ err: error, code }, 'a taskmanager was refused')
  }
  const refuse = (error: unknown): void => {
    warn(error)
    line.send({ kind: 'refused', failure: failureReport(error) })
    line.close()
    desk.lost(line, { cause: 'broken', how: `was refused: ${messageOf(error)}` })
  }
  return {
    onMessage(said) {
      const message = said as ToJobManager
      try {
        if (message.kind !== 'register') {
          if (registered) desk.take(line, message)
          // Heartbeats come from the first moment on.
          else if (message.kind !== 'heartbeat') throw unregistered(message)
          return
        }
        desk.register(message, line)
        registered = true
      } catch (error) {
        refuse(error)
      }
    },
    onClosed(end) {
      if (end.error !== undefined) warn(end.error)
      desk.lost(line, end)
    },
  }
}

function unregistered(message: ToJobManager): Error {
  return clusterErrors.WEIR_CONTROL_MALFORMED({ reason: `${message.kind} before a registration` })
}
