/** A taskmanager process of one slot: the real executor over simulated tasks. */

import type { SlotEvent } from '../../cluster/slot-messages.ts'
import { TaskExecutor, type TaskStart } from '../../cluster/taskmanager/task-executor.ts'
import { assertDefined } from '../../common/assert.ts'
import type { ExecutionPlan, Subtask } from '../../graph/execution-plan.ts'
import { roleOf } from './bank-job.ts'
import { Patience } from './patience.ts'
import { RelayLogic } from './relay-logic.ts'
import type { SimProcess } from './scheduler.ts'
import { SimClock } from './sim-clock.ts'
import type { SimExchange } from './sim-exchange.ts'
import { SimPartition } from './sim-partition.ts'
import { SimStore } from './sim-store.ts'
import { SimTask } from './sim-task.ts'
import type { SimWorld } from './sim-world.ts'
import { SinkLogic } from './sink-logic.ts'
import { SourceLogic } from './source-logic.ts'
import { SumLogic } from './sum-logic.ts'
import type { TaskPorts } from './task-logic.ts'
import { UnsafeStore } from './unsafe-store.ts'

export interface SimWorkerOptions {
  readonly world: SimWorld
  readonly name: string
  readonly slot: number
  readonly plan: ExecutionPlan
  readonly exchange: SimExchange
  readonly report: (event: SlotEvent) => void
}

const logics = { source: SourceLogic, sum: SumLogic, relay: RelayLogic, sink: SinkLogic }

export class SimWorker {
  readonly process: SimProcess
  readonly executor: TaskExecutor
  readonly #options: SimWorkerOptions
  readonly clock: SimClock
  /** What each task that was started says when its user code throws. */
  #failures: (() => void)[] = []

  constructor(options: SimWorkerOptions) {
    const { world, slot, plan, report } = options
    const { scheduler, disk, off, scenario, jobId } = world
    this.#options = options
    this.process = scheduler.spawn(options.name)
    this.clock = new SimClock(scheduler, this.process, world.scenario.clocks)
    const faults = scenario.store
    const client = new SimStore({ scheduler, process: this.process, disk, faults })
    const store = new UnsafeStore(client, off)
    this.executor = new TaskExecutor({
      slot,
      jobId,
      plan,
      store,
      storeAt: () => store,
      startTask: start => this.#start(start),
      retire: () => {},
      report,
    })
  }

  /** User code throws in one of the tasks that run. */
  failTask(): void {
    const { random } = this.#options.world.scheduler
    this.#failures[random.int(Math.max(1, this.#failures.length))]?.()
  }

  #start(start: TaskStart): SimTask {
    const { world, exchange } = this.#options
    const { scheduler, off, scenario, bank, ledger } = world
    const { subtask, of, restore, listener } = start
    const { vertex, index } = subtask
    const { process } = this
    const role = roleOf(vertex)
    const restoredCheckpointId = restore?.checkpointId ?? 0
    const task = new SimTask({
      subtask,
      scheduler,
      process,
      clock: this.clock,
      mode: scenario.mode,
      off,
      listener,
      inputs: (subtask.inputs[0]?.from ?? []).map(from =>
        exchange.input({ attempt: of.attempt, vertexId: vertex.id, from, to: index }),
      ),
      output: this.#connect(start),
      patience: this.#patience(subtask),
      takeMs: scenario.takeMs[role],
      restoredCheckpointId,
      restoredChannels: restore?.channels ?? [],
    })
    const operatorId = assertDefined(vertex.chain[0], 'a vertex has a head').operatorId
    const ports: TaskPorts = {
      scheduler,
      process,
      clock: this.clock,
      bank,
      ledger,
      off,
      restored: restore?.operators.get(operatorId),
      restoredCheckpointId,
      listener,
      operatorId,
      isClosed: () => task.isClosed,
      isOver: () => task.isOver,
      emit: record => task.emit(record),
      mayEmit: () => task.mayEmit(),
      flush: () => task.flush(),
      end: () => task.end(),
    }
    const opening = scheduler.between(0.1, 3)
    const logic = new logics[role](ports)
    // Not at once: the executor must know the task before it speaks.
    scheduler.after(opening, process, () => void task.open(logic))
    const vertices = this.#options.plan.graph.vertices.length
    const fail = (): void => {
      if (!task.isClosed) listener.failed(new Error(`${subtask.id} throws`))
    }
    // Those of attempts that are over say nothing.
    this.#failures = [...this.#failures, fail].slice(-vertices)
    return task
  }

  #connect({ subtask, of }: TaskStart): SimPartition | undefined {
    const { exchange, world } = this.#options
    const [output] = subtask.outputs
    if (output === undefined) return undefined
    const { edge, to } = output
    const { vertexId } = edge.to
    return new SimPartition({
      outputs: to.map(receiver => {
        const route = { attempt: of.attempt, vertexId, from: subtask.index, to: receiver }
        return exchange.connect(route, this.process)
      }),
      forced: edge.forcedAlignment !== undefined,
      off: world.off,
      waitingMax: world.scenario.waitingMax,
    })
  }

  #patience({ inputs }: Subtask): Patience {
    const { off, checkers } = this.#options.world
    return new Patience({
      process: this.process,
      fromGlobalStart: !off.has('timeout-from-global-start'),
      forced: inputs.some(({ edge }) => edge.forcedAlignment !== undefined),
      clock: this.clock,
      exceeded: detail => checkers.found('alignment-ends-in-time', detail),
    })
  }
}
