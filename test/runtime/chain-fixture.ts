/** An operator chain made by hand of operators that log what happens to them. */

import type { Job } from '../../src/api/job.ts'
import { SeededRandom } from '../../src/common/random.ts'
import { planJob } from '../../src/graph/build-job-graph.ts'
import { buildExecutionPlan } from '../../src/graph/execution-plan.ts'
import type { ChainedOperator, JobVertex } from '../../src/graph/job-graph.ts'
import { LocalChannel } from '../../src/runtime/network/local-channel.ts'
import { OutputRoom } from '../../src/runtime/network/output-room.ts'
import { ResultPartition } from '../../src/runtime/network/result-partition.ts'
import { OperatorChain } from '../../src/runtime/operator-chain.ts'
import type { TaskScope } from '../../src/runtime/operator-context.ts'
import { RecordOrigin } from '../../src/runtime/record-origin.ts'
import { makeHeapBackend } from '../../src/state/heap/heap-keyed-state-backend.ts'
import { makeOperatorStateBackend } from '../../src/state/heap/heap-operator-state.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

export interface OpenedChain {
  readonly chain: OperatorChain
  readonly vertex: JobVertex
  /** The channels of the vertex's outputs, one an edge. */
  readonly channels: readonly LocalChannel[]
  readonly scope: TaskScope & { full: boolean }
}

/** Opens the chain of the job's second vertex: what follows its first shuffle. */
export async function openSecondChain(made: Job): Promise<OpenedChain> {
  const { subtasks } = buildExecutionPlan(planJob(made, { name: 'chain' }))
  const subtask = subtasks[1]
  if (subtask === undefined) throw new Error('the job has a shuffle')
  const clock = new ManualClock()
  const scope = {
    full: false,
    jobId: 'j',
    attempt: 0,
    subtaskIndex: 0,
    parallelism: 1,
    maxParallelism: 128,
    keyGroups: { start: 0, end: 127 },
    restoredCheckpointId: undefined,
    clock,
    mailbox: { submit: (action: () => void) => action() },
    state: { makeKeyed: makeHeapBackend, makeOperatorState: makeOperatorStateBackend },
    processingTime: () => clock.now(),
    outputFull: () => scope.full,
    origin: new RecordOrigin(() => undefined),
    count: () => {},
  }
  const channels = subtask.outputs.map(() => new LocalChannel())
  const partitions = subtask.outputs.map(
    ({ edge }, index) =>
      new ResultPartition({
        partitioner: edge.partitioner,
        channels: [channels[index] as LocalChannel],
        room: new OutputRoom(() => {}),
        subtaskIndex: 0,
        maxParallelism: 128,
        random: new SeededRandom(0),
        forcedAligned: false,
        fail: error => {
          throw error
        },
      }),
  )
  const chain = await OperatorChain.open({
    vertex: subtask.vertex,
    scope,
    partitions,
    restore: undefined,
    sourceHooks: () => {
      throw new Error('no source here')
    },
  })
  return { chain, vertex: subtask.vertex, channels, scope }
}

export function operatorNames(vertex: JobVertex): string[] {
  return vertex.chain.map((operator: ChainedOperator) => operator.name)
}
