/** The figures of a slot as a heartbeat carries them: plain, and without what JSON cannot say. */
import type { ToJobManagerText, WatermarkText } from '../../protocol/control-messages.ts'
import type { TaskMetrics } from '../../runtime/task-contract.ts'
import type { UserCounters } from '../user-counters.ts'

type FiguresText = Extract<ToJobManagerText, { kind: 'heartbeat' }>['figures']

export interface ProcessFigures {
  readonly residentBytes: number
  readonly cpuSeconds: number
}

export interface FiguresOptions {
  readonly tasks: readonly TaskMetrics[]
  readonly counters: UserCounters
  readonly alignment: ReadonlyMap<string, number>
  readonly process: ProcessFigures
}

export function slotFigures(options: FiguresOptions): FiguresText {
  const { tasks, counters, process } = options
  const alignment = alignmentText(options.alignment)
  return { tasks: tasks.map(taskFigures), counters: [...counters], alignment, ...process }
}

export function alignmentText(
  alignment: ReadonlyMap<string, number>,
): Record<string, WatermarkText> {
  return Object.fromEntries([...alignment].map(([group, at]) => [group, watermarkText(at)]))
}

function taskFigures(task: TaskMetrics): FiguresText['tasks'][number] {
  const { vertexId, subtaskIndex, recordsIn, recordsOut, busyMs, idleMs, backpressuredMs } = task
  return {
    vertexId,
    subtaskIndex,
    recordsIn,
    recordsOut,
    watermark: watermarkText(task.watermark),
    busyMs,
    idleMs,
    backpressuredMs,
    operators: task.operators.map(({ operatorId, name, kind, metrics }) => ({
      operatorId,
      name,
      kind,
      metrics: {
        recordsIn: metrics.recordsIn,
        recordsOut: metrics.recordsOut,
        lateRecordsDropped: metrics.lateRecordsDropped,
        recordsSkipped: metrics.recordsSkipped,
        deadLetters: metrics.deadLetters,
        currentWatermark: watermarkText(metrics.currentWatermark),
      },
    })),
  }
}

function watermarkText(watermark: number): WatermarkText {
  if (watermark === Number.NEGATIVE_INFINITY) return null
  return watermark === Number.POSITIVE_INFINITY ? 'end' : watermark
}
