/** The figures of a slot as they are sent: plain, and without what JSON cannot say. */
import type { ToJobManagerText, WatermarkText } from '../../protocol/control-messages.ts'
import type { NetworkFigures } from '../../runtime/network/network-figures.ts'
import type { TaskMetrics } from '../../runtime/task-contract.ts'
import type { StoreCounters } from '../../storage/store-counters.ts'
import type { UserCounters } from '../user-counters.ts'

type FiguresText = Extract<ToJobManagerText, { kind: 'figures' }>['figures']

export interface ProcessFigures {
  readonly residentBytes: number
  readonly cpuSeconds: number
}

export interface FiguresOptions {
  readonly tasks: readonly TaskMetrics[]
  readonly counters: UserCounters
  readonly process: ProcessFigures
  readonly network: NetworkFigures
  readonly storage: StoreCounters | undefined
}

export function slotFigures(options: FiguresOptions): FiguresText {
  const { tasks, counters, process, network, storage } = options
  return {
    tasks: tasks.map(taskFigures),
    counters: [...counters],
    ...process,
    network: networkFigures(network),
    storage,
  }
}

function networkFigures({ edges, ...traffic }: NetworkFigures): FiguresText['network'] {
  const sides = edges.map(({ edge, input, output }) => ({
    edge,
    input: input ?? null,
    output: output ?? null,
  }))
  return { ...traffic, edges: sides }
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
    lag: task.lag,
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
