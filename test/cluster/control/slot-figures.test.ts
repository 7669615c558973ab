import { expect, test } from '@jest/globals'
import { slotFigures } from '../../../src/cluster/control/slot-figures.ts'
import { UserCounters } from '../../../src/cluster/user-counters.ts'
import { toJobManagerSchema } from '../../../src/protocol/control-messages.ts'
import type { TaskMetrics } from '../../../src/runtime/task-contract.ts'

test.each([-Infinity, 12_345, Infinity])('a watermark of %d comes through JSON', watermark => {
  const metrics = {
    recordsIn: 1,
    recordsOut: 2,
    lateRecordsDropped: 3,
    recordsSkipped: 4,
    deadLetters: 5,
    currentWatermark: watermark,
  }
  const task: TaskMetrics = {
    vertexId: 'v',
    subtaskIndex: 1,
    recordsIn: 6,
    recordsOut: 7,
    watermark,
    busyMs: 8,
    idleMs: 9,
    backpressuredMs: 10,
    lag: { records: 14, ms: 15 },
    operators: [{ operatorId: 'o', name: 'o', kind: 'map', metrics }],
  }
  const counters = new UserCounters()
  counters.add('o', 'seen', 11)
  const traffic = { bytesSent: 14, bytesReceived: 15, framesSent: 16, framesReceived: 17 }
  const input = { queuedFrames: 18, credits: 19, usage: 0.5, frameBytes: 1_024 }
  const figures = slotFigures({
    tasks: [task],
    counters,
    process: { residentBytes: 12, cpuSeconds: 13 },
    network: { ...traffic, edges: [{ edge: 'e', input, output: undefined }] },
    storage: { requests: 16, retries: 17, writtenBytes: 18, readBytes: 19 },
  })
  const message = JSON.parse(JSON.stringify({ kind: 'figures', figures })) as unknown
  expect(toJobManagerSchema.parse(message)).toEqual({
    kind: 'figures',
    figures: {
      tasks: [task],
      counters: [{ operator: 'o', metric: 'seen', count: 11 }],
      residentBytes: 12,
      cpuSeconds: 13,
      network: { ...traffic, edges: [{ edge: 'e', input, output: null }] },
      storage: { requests: 16, retries: 17, writtenBytes: 18, readBytes: 19 },
    },
  })
})
