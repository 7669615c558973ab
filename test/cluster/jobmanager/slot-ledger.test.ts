import { expect, test } from '@jest/globals'
import { SlotLedger } from '../../../src/cluster/jobmanager/slot-ledger.ts'
import { ProgressMeter } from '../../../src/cluster/progress-meter.ts'
import { planJob } from '../../../src/graph/build-job-graph.ts'
import type { SlotFigures } from '../../../src/protocol/control-messages.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { countingJob } from '../counting-job.ts'

const graph = planJob(countingJob({ records: 1, keys: 1 }).job, { name: 'test', parallelism: 2 })
const [vertex] = graph.vertices

function figures(records: number, counted: number): SlotFigures {
  const operator = { recordsIn: 0, recordsOut: records, lateRecordsDropped: 0, recordsSkipped: 0 }
  const metrics = { ...operator, deadLetters: 0, currentWatermark: 0 }
  const task = {
    vertexId: vertex?.id ?? '',
    subtaskIndex: 0,
    recordsIn: 0,
    recordsOut: records,
    watermark: 0,
    busyMs: 0,
    idleMs: 0,
    backpressuredMs: 0,
    operators: [{ operatorId: 'o', name: 'o', kind: 'source', metrics }],
  }
  const counters = [{ operator: 'o', metric: 'seen', count: counted }]
  const network = { bytesSent: 1, bytesReceived: 2, framesSent: 3, framesReceived: 4, edges: [] }
  const storage = { requests: counted, retries: 0, writtenBytes: 10 * counted, readBytes: 0 }
  return { tasks: [task], counters, residentBytes: 1, cpuSeconds: 1, network, storage }
}

test('counts of processes that are gone are kept, and none is counted twice', () => {
  const meter = new ProgressMeter(graph, new ManualClock())
  const ledger = new SlotLedger(meter)
  const read = () => meter.read(ledger.tasks).recordsIn
  ledger.heard(0, figures(10, 5))
  ledger.heard(1, figures(100, 50))
  ledger.heard(0, figures(12, 7))
  expect(read()).toBe(112)
  expect(ledger.counters.get('o', 'seen')).toBe(57)
  ledger.retire(0)
  expect(read()).toBe(112)
  // The process lives on: it goes on counting where it was, its new tasks begin anew.
  ledger.heard(0, figures(1, 8))
  expect(read()).toBe(113)
  expect(ledger.counters.get('o', 'seen')).toBe(58)
  ledger.lost(0)
  expect(ledger.process(0)).toBeUndefined()
  ledger.heard(0, figures(2, 3))
  expect(read()).toBe(115)
  expect(ledger.counters.get('o', 'seen')).toBe(61)
  expect(ledger.storage).toEqual({ requests: 61, retries: 0, writtenBytes: 610, readBytes: 0 })
})
