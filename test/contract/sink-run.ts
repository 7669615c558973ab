/**
 * Drives a sink by hand as a job would: parallel writers, a committer, checkpoints that travel as
 * JSON text, crashes at any point.
 */
import type { Committer, Sink, SinkContext, SinkWriter } from '../../src/api/sink.ts'
import type { JsonValue } from '../../src/api/source.ts'
import { type Clock, SystemClock } from '../../src/common/clock.ts'
import { MIN_TIMESTAMP } from '../../src/common/timestamps.ts'

export interface SinkCheckpoint {
  readonly id: number
  readonly writerStates: readonly JsonValue[]
  /** Not committed yet when the checkpoint was taken, with the checkpoint they belong to. */
  readonly committables: readonly { readonly checkpointId: number; readonly value: JsonValue }[]
}

export interface SinkRunOptions {
  readonly parallelism: number
  readonly restored?: SinkCheckpoint | undefined
  readonly attempt?: number
  readonly clock?: Clock
  readonly checkpoints?: SinkContext['checkpoints']
  /** The first checkpoint gets the next id. Ids grow over restarts. */
  readonly lastCheckpointId?: number
  readonly jobId?: string
  readonly operatorUid?: string
  readonly isSuperseded?: () => Promise<boolean>
}

export class SinkRun<IN> {
  readonly #writers: SinkWriter<IN, JsonValue>[] = []
  readonly #committer: Committer<JsonValue> | undefined
  readonly #pending: { checkpointId: number; value: JsonValue }[]
  #lastCheckpointId: number
  #wake: () => void = () => {}
  #next = 0

  private constructor(committer: Committer<JsonValue> | undefined, options: SinkRunOptions) {
    this.#committer = committer
    this.#pending = [...(options.restored?.committables ?? [])]
    this.#lastCheckpointId = options.lastCheckpointId ?? options.restored?.id ?? 0
  }

  static async start<IN>(sink: Sink<IN, JsonValue>, options: SinkRunOptions): Promise<SinkRun<IN>> {
    const { parallelism, attempt = 0, restored, checkpoints, clock = new SystemClock() } = options
    let run: SinkRun<IN> | undefined
    const contextOf = (subtaskIndex: number): SinkContext => ({
      runtime: { operatorName: sink.name, subtaskIndex, parallelism, attempt, count: () => {} },
      clock,
      jobId: options.jobId ?? 'job',
      operatorUid: options.operatorUid ?? 'sink',
      isSuperseded: options.isSuperseded,
      restoredCheckpointId: restored?.id,
      checkpoints,
      wakeUp: () => {
        if (run !== undefined) run.#wake()
      },
    })
    const started = new SinkRun<IN>(await sink.createCommitter?.(contextOf(0)), options)
    run = started
    try {
      // A job commits what the checkpoint holds before it writes anything new.
      await started.commitUpTo(restored?.id ?? 0)
      for (let i = 0; i < parallelism; i++) {
        const states = (restored?.writerStates ?? []).filter((_, s) => s % parallelism === i)
        started.#writers.push(await sink.createWriter(contextOf(i), states))
      }
    } catch (error) {
      await started.close()
      throw error
    }
    return started
  }

  async write(...values: readonly IN[]): Promise<void> {
    for (const value of values) {
      const writer = this.#writers[this.#next++ % this.#writers.length] as SinkWriter<IN, JsonValue>
      if (writer.blocked && writer.failure === undefined) {
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
      }
      if (writer.failure !== undefined) throw writer.failure
      writer.write(value, MIN_TIMESTAMP)
    }
  }

  async checkpoint(endOfInput = false): Promise<SinkCheckpoint> {
    const id = ++this.#lastCheckpointId
    const writerStates: JsonValue[] = []
    for (const writer of this.#writers) {
      await writer.flush(endOfInput)
      for (const value of await writer.prepareCommit()) {
        this.#pending.push({ checkpointId: id, value })
      }
      writerStates.push(...(await writer.snapshotState(id)))
    }
    return JSON.parse(JSON.stringify({ id, writerStates, committables: this.#pending }))
  }

  /** Commits everything up to the checkpoint; throws what the committer calls lost. */
  async commitUpTo(checkpointId: number): Promise<void> {
    const due = this.#pending.filter(one => one.checkpointId <= checkpointId)
    const refused: unknown[] = []
    const requests = due.map(one => ({
      committable: one.value,
      checkpointId: one.checkpointId,
      retries: 0,
      alreadyCommitted: () => {},
      retryLater: (cause: unknown) => refused.push(cause),
      failed: (cause: unknown) => refused.push(cause),
    }))
    if (requests.length > 0) await this.#committer?.commit(requests)
    if (refused.length > 0) throw refused[0]
    for (const one of due) this.#pending.splice(this.#pending.indexOf(one), 1)
  }

  /** The last checkpoint of a bounded input. */
  async finish(): Promise<void> {
    const { id } = await this.checkpoint(true)
    await this.commitUpTo(id)
    await this.close()
  }

  async close(): Promise<void> {
    for (const writer of this.#writers) await writer.close()
    await this.#committer?.close()
  }
}
