/** An operator's context made by hand, for what the harness does not let a test change. */
import { SystemClock } from '../../../src/common/clock.ts'
import { MIN_TIMESTAMP } from '../../../src/common/timestamps.ts'
import type { OperatorContext, OperatorMetrics } from '../../../src/runtime/stream-operator.ts'
import { generalType } from '../../../src/schema/general-type.ts'
import { makeHeapBackend } from '../../../src/state/heap/heap-keyed-state-backend.ts'
import { makeOperatorStateBackend } from '../../../src/state/heap/heap-operator-state.ts'
import type { KeyedStateBackend } from '../../../src/state/keyed-state-backend.ts'

const clock = new SystemClock()

export function testBackend(): KeyedStateBackend {
  const range = { start: 0, end: 127 }
  return makeHeapBackend({ operatorName: 'test', maxParallelism: 128, range, clock })
}

export function zeroMetrics(): OperatorMetrics {
  return {
    recordsIn: 0,
    recordsOut: 0,
    lateRecordsDropped: 0,
    recordsSkipped: 0,
    deadLetters: 0,
    currentWatermark: MIN_TIMESTAMP,
  }
}

/** Emits into nothing and is not keyed, unless `overrides` says otherwise. */
export function testContext(overrides: Partial<OperatorContext> = {}): OperatorContext {
  const ignore = (): void => {}
  const backend = testBackend()
  return {
    uid: 'test',
    name: 'test',
    jobId: 'test',
    subtaskIndex: 0,
    parallelism: 1,
    maxParallelism: 128,
    restoredCheckpointId: undefined,
    runtime: { operatorName: 'test', subtaskIndex: 0, parallelism: 1, attempt: 0, count: ignore },
    clock,
    inputTypes: [generalType, generalType],
    keySelectors: [],
    errorPolicy: { kind: 'fail' },
    metrics: zeroMetrics(),
    mailbox: { submit: ignore },
    emit: ignore,
    sideOutput: () => ignore,
    emitWatermark: ignore,
    emitStatus: ignore,
    keyedState: () => backend,
    operatorState: makeOperatorStateBackend('test'),
    processingTime: () => 0,
    outputFull: () => false,
    coordinates: () => undefined,
    locate: () => {},
    ...overrides,
  }
}
