/**
 * Builds what an operator gets from its task: identity, outputs, state, restored once.
 *
 * Owns        one keyed backend and one operator state an operator, made when first asked for.
 * Leaves out  where records go: the chain passes the finished outputs.
 */
import type { RuntimeContext } from '../api/functions.ts'
import type { CheckpointPlan } from '../api/sink.ts'
import { assert } from '../common/assert.ts'
import type { Clock } from '../common/clock.ts'
import { MIN_TIMESTAMP } from '../common/timestamps.ts'
import { type ChainedOperator, isKeyed } from '../graph/job-graph.ts'
import type { KeyGroupRange } from '../state/key-groups.ts'
import type { KeyedStateBackend } from '../state/keyed-state-backend.ts'
import type { OperatorStateBackend } from '../state/operator-state-backend.ts'
import type { RecordOrigin } from './record-origin.ts'
import type {
  Mailbox,
  OperatorContext,
  OperatorMetrics,
  Push,
  WatermarkStatus,
} from './stream-operator.ts'
import type { OperatorRestore } from './task-contract.ts'

/** Makes the state of operators: the chosen backend. */
export interface StateBackends {
  makeKeyed(options: KeyedBackendOptions): KeyedStateBackend
  makeOperatorState(operatorName: string): OperatorStateBackend
}

export interface KeyedBackendOptions {
  readonly operatorName: string
  readonly range: KeyGroupRange
  readonly maxParallelism: number
  /** For time to live. */
  readonly clock: Clock
}

/** What all operators of a task have in common. */
export interface TaskScope {
  readonly jobId: string
  /** 0 for the first run, then higher for each restart. */
  readonly attempt: number
  readonly subtaskIndex: number
  readonly parallelism: number
  readonly maxParallelism: number
  readonly keyGroups: KeyGroupRange
  readonly restoredCheckpointId: number | undefined
  readonly checkpoints?: CheckpointPlan | undefined
  readonly isSuperseded?: (() => Promise<boolean>) | undefined
  readonly clock: Clock
  readonly mailbox: Mailbox
  readonly state: StateBackends
  processingTime(): number
  /** True when nothing more should be emitted now. */
  outputFull(): boolean
  readonly origin: RecordOrigin
  /** Adds to a user metric. */
  count(operator: string, metric: string, by: number): void
}

/** Where an operator's results go. */
export interface OperatorOutputs {
  readonly emit: Push
  sideOutput(tagId: string): Push
  emitWatermark(watermark: number): void
  emitStatus(status: WatermarkStatus): void
}

/** An operator's context, and what of its state has been made. */
export interface OperatorHome {
  readonly context: OperatorContext
  readonly openKeyed: () => KeyedStateBackend | undefined
  readonly openOperatorState: () => OperatorStateBackend | undefined
}

export interface HomeOptions {
  readonly node: ChainedOperator
  readonly scope: TaskScope
  readonly outputs: OperatorOutputs
  readonly restore: OperatorRestore | undefined
}

export function makeOperatorHome({ node, scope, outputs, restore }: HomeOptions): OperatorHome {
  let keyed: KeyedStateBackend | undefined
  let operatorState: OperatorStateBackend | undefined
  const context: OperatorContext = {
    uid: node.uid ?? node.operatorId,
    name: node.name,
    jobId: scope.jobId,
    subtaskIndex: scope.subtaskIndex,
    parallelism: scope.parallelism,
    maxParallelism: scope.maxParallelism,
    restoredCheckpointId: scope.restoredCheckpointId,
    checkpoints: scope.checkpoints,
    isSuperseded: scope.isSuperseded,
    runtime: runtimeContext(node, scope),
    clock: scope.clock,
    inputTypes: node.inputTypes,
    keySelectors: node.keySelectors,
    errorPolicy: node.errorPolicy,
    metrics: zeroMetrics(),
    mailbox: scope.mailbox,
    emit: outputs.emit,
    sideOutput: tagId => outputs.sideOutput(tagId),
    emitWatermark: watermark => outputs.emitWatermark(watermark),
    emitStatus: status => outputs.emitStatus(status),
    keyedState: () => {
      assert(isKeyed(node), `operator ${node.name} is keyed`)
      keyed ??= restoredKeyed(node.name, scope, restore)
      return keyed
    },
    get operatorState() {
      operatorState ??= restoredOperatorState(node.name, scope, restore)
      return operatorState
    },
    processingTime: () => scope.processingTime(),
    outputFull: () => scope.outputFull(),
    coordinates: () => scope.origin.coordinates(),
    locate: coordinates => {
      scope.origin.at = coordinates
    },
  }
  return { context, openKeyed: () => keyed, openOperatorState: () => operatorState }
}

function restoredKeyed(
  operatorName: string,
  scope: TaskScope,
  restore: OperatorRestore | undefined,
): KeyedStateBackend {
  const { keyGroups: range, maxParallelism, clock } = scope
  const backend = scope.state.makeKeyed({ operatorName, range, maxParallelism, clock })
  if (restore !== undefined) backend.restore(restore.keyed)
  return backend
}

function restoredOperatorState(
  operatorName: string,
  scope: TaskScope,
  restore: OperatorRestore | undefined,
): OperatorStateBackend {
  const backend = scope.state.makeOperatorState(operatorName)
  if (restore !== undefined) backend.restore(restore.operatorState)
  return backend
}

function runtimeContext(node: ChainedOperator, scope: TaskScope): RuntimeContext {
  return {
    operatorName: node.name,
    subtaskIndex: scope.subtaskIndex,
    parallelism: scope.parallelism,
    attempt: scope.attempt,
    count: (metric, by = 1) => scope.count(node.name, metric, by),
  }
}

function zeroMetrics(): OperatorMetrics {
  return {
    recordsIn: 0,
    recordsOut: 0,
    lateRecordsDropped: 0,
    recordsSkipped: 0,
    deadLetters: 0,
    currentWatermark: MIN_TIMESTAMP,
  }
}
