/** The outputs of one simulated subtask: records to the owner of their account, events to all. */
import type { InFlightItem, OutputListener } from '../../runtime/network/channel.ts'
import { RecordBatch, type StreamEvent } from '../../runtime/network/stream-item.ts'
import type { CheckpointBarrier } from '../../runtime/task-contract.ts'
import type { Protection } from './protections.ts'
import type { SimRecord } from './sim-exchange.ts'
import type { SimOutput } from './sim-pipe.ts'
import { accountOf, ownerOf } from './task-logic.ts'

export interface SimPartitionOptions {
  /** By subtask behind. */
  readonly outputs: readonly SimOutput[]
  readonly forced: boolean
  readonly off: ReadonlySet<Protection>
  /** Batches that wait before the task pauses. */
  readonly waitingMax: number
}

export class SimPartition {
  readonly #options: SimPartitionOptions
  /** Not flushed yet, by output. */
  readonly #collected: SimRecord[][]

  constructor(options: SimPartitionOptions) {
    this.#options = options
    this.#collected = options.outputs.map(() => [])
  }

  get isFull(): boolean {
    const { outputs, waitingMax } = this.#options
    return outputs.some(output => output.waiting >= waitingMax)
  }

  /** Calls when there is room, or a barrier has left. */
  listen(go: () => void): void {
    const listener: OutputListener = { whenFull() {}, whenFree: go, whenBarrierLeft: go }
    for (const output of this.#options.outputs) output.listen(listener)
  }

  emit(record: SimRecord): void {
    const { outputs, off } = this.#options
    this.#collected[ownerOf(accountOf(record), outputs.length, off)]?.push(record)
  }

  flush(): void {
    this.#collected.forEach((records, index) => {
      if (records.length === 0) return
      this.#collected[index] = []
      const items = records.flatMap(record => [record, 0])
      this.#options.outputs[index]?.send(new RecordBatch(items, records.length))
    })
  }

  broadcast(event: StreamEvent): void {
    this.flush()
    for (const output of this.#options.outputs) output.send(event)
  }

  sendBarrier(barrier: CheckpointBarrier): readonly (readonly InFlightItem[])[] {
    const { outputs, forced } = this.#options
    if (barrier.alignment.kind === 'unaligned' && !forced) {
      this.flush()
      return outputs.map(output => output.overtake(barrier))
    }
    this.broadcast({ kind: 'barrier', barrier })
    return []
  }

  holdsBarrier(checkpointId: number): boolean {
    const { outputs, forced } = this.#options
    return !forced && outputs.some(output => output.holds(checkpointId))
  }

  hastenBarrier(barrier: CheckpointBarrier): readonly (readonly InFlightItem[])[] {
    return this.#options.outputs.map(output => output.hasten(barrier) ?? [])
  }
}
