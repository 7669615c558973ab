/** When a job's next scheduled savepoint is due; pure. */
import { Cron } from 'croner'
import { parseDuration } from '../../common/duration.ts'
import type { StreamJobSpec } from '../../protocol/stream-job.ts'

type Schedule = Pick<NonNullable<StreamJobSpec['savepoints']>, 'interval' | 'schedule' | 'timeZone'>

export interface DueTimes {
  /** The newest that is not in the future; `undefined`: none yet. */
  readonly lastMs: number | undefined
  readonly nextMs: number | undefined
}

/** `sinceMs`: when the job was made; none is due before. */
export function dueTimes(schedule: Schedule, sinceMs: number, nowMs: number): DueTimes {
  if (schedule.schedule !== undefined) return byCron(schedule, sinceMs, nowMs)
  const everyMs = parseDuration(schedule.interval ?? '') ?? 0
  if (everyMs === 0) return { lastMs: undefined, nextMs: undefined }
  const count = Math.floor((nowMs - sinceMs) / everyMs)
  return {
    lastMs: count < 1 ? undefined : sinceMs + count * everyMs,
    nextMs: sinceMs + (Math.max(0, count) + 1) * everyMs,
  }
}

function byCron({ schedule = '', timeZone }: Schedule, sinceMs: number, nowMs: number): DueTimes {
  try {
    const cron = new Cron(schedule, { timezone: timeZone, paused: true })
    // The reference itself does not count.
    const [last] = cron.previousRuns(1, new Date(nowMs + 1_000))
    const lastMs = last === undefined || last.getTime() > nowMs ? undefined : last.getTime()
    return {
      lastMs: lastMs === undefined || lastMs <= sinceMs ? undefined : lastMs,
      nextMs: cron.nextRun(new Date(nowMs))?.getTime(),
    }
  } catch {
    // A text of five fields that names no time: nothing is ever due.
    return { lastMs: undefined, nextMs: undefined }
  }
}
