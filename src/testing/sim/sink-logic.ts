/** Writes bookings into transactions; the real `SinkCommitter` decides when which are committed. */
import type { CommitRequest } from '../../api/sink.ts'
import type { JsonValue } from '../../api/source.ts'
import { SinkCommitter } from '../../runtime/sink-committer.ts'
import type { Booking } from './bank.ts'
import type { SimRecord } from './sim-exchange.ts'
import { emptyPart, type OperatorPart, type TaskLogic, type TaskPorts } from './task-logic.ts'

const COMMIT_MS = 2
/** A commit whose answer is lost is tried again. */
const LOST_ANSWER = 0.1

export class SinkLogic implements TaskLogic {
  readonly #ports: TaskPorts
  readonly #committer: SinkCommitter
  #open: Booking[] = []
  #written = 0
  #newestId: number

  constructor(ports: TaskPorts) {
    this.#ports = ports
    this.#newestId = ports.restoredCheckpointId
    this.#committer = new SinkCommitter({
      sinkName: 'bookings',
      clock: ports.clock,
      committer: { commit: requests => this.#commit(requests), close() {} },
    })
  }

  async open(): Promise<void> {
    const { restored, off, restoredCheckpointId } = this.#ports
    if (!off.has('committables-restored')) this.#committer.add(restored?.committables ?? [])
    await this.#committer.commitUpTo(restoredCheckpointId)
  }

  start(): void {}

  record(record: SimRecord): void {
    if (record.kind !== 'booking') return
    this.#open.push(record.booking)
    this.#written++
  }

  prepare(checkpointId: number): void {
    this.#newestId = checkpointId
    if (this.#open.length === 0) return
    const { ledger, scheduler, process } = this.#ports
    const committable = ledger.prepare(checkpointId, this.#open)
    const transaction = { name: committable, records: this.#open.length }
    const shown = this.#open.map(({ split, seq, account }) => `${split}:${seq}:${account}`)
    scheduler.note(process, `prepares ${committable}: ${shown.join(' ')}`)
    this.#open = []
    this.#committer.add([{ checkpointId, committable, transaction }])
    if (this.#ports.off.has('commit-after-complete')) this.complete(checkpointId)
  }

  cut(): OperatorPart {
    const isStored = !this.#ports.off.has('committables-stored')
    // A copy: what is committed meanwhile leaves the list.
    const committables = isStored ? [...this.#committer.pending] : []
    return { ...emptyPart, writerState: [], committables }
  }

  complete(checkpointId: number): void {
    const { listener, isClosed } = this.#ports
    this.#committer.commitUpTo(checkpointId).catch((error: unknown) => {
      if (!isClosed()) listener.failed(error)
    })
  }

  finish(): Promise<void> {
    return this.#committer.commitUpTo(this.#newestId)
  }

  addSplits(): void {}
  noMoreSplits(): void {}
  recordsWritten(): number {
    return this.#written
  }

  recordsPerSplit(): { readonly [splitId: string]: number } {
    return {}
  }

  /** The transactions commit one after the other; the sink may die in between. */
  #commit(requests: readonly CommitRequest<JsonValue>[]): Promise<void> {
    const { scheduler, process, ledger } = this.#ports
    return new Promise(resolve => {
      let atMs = 0
      for (const request of requests) {
        atMs += scheduler.between(0.05, COMMIT_MS)
        const isLost = scheduler.chance(LOST_ANSWER)
        scheduler.after(atMs, undefined, () => {
          if (process.state === 'dead' && scheduler.chance(0.5)) return
          const transaction = request.committable as string
          scheduler.note(process, `commit ${transaction} of ${request.checkpointId}`)
          if (ledger.commit(transaction)) request.alreadyCommitted()
          if (isLost) request.retryLater('the answer is lost')
        })
      }
      scheduler.after(atMs + scheduler.between(0.05, COMMIT_MS), process, resolve)
    })
  }
}
