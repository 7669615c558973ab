/** A sink that stops taking records until it is opened: what is before it fills up. */
import type { SinkContext, SinkWriter } from '../../src/api/sink.ts'
import type { JsonValue } from '../../src/api/source.ts'
import { type CollectSink, collectSink } from '../../src/testing/collect-sink.ts'

export interface GatedSink<T> extends CollectSink<T> {
  /** Every subtask takes so many more records, then none. */
  limit(records: number): void
  open(): void
}

export function gatedSink<T>(): GatedSink<T> {
  const inner = collectSink<T>()
  const wakeUps = new Set<() => void>()
  const gate = { left: Number.POSITIVE_INFINITY }
  return {
    ...inner,
    limit: records => {
      gate.left = records
    },
    open: () => {
      gate.left = Number.POSITIVE_INFINITY
      for (const wakeUp of wakeUps) wakeUp()
    },
    createWriter: async (context: SinkContext, state: readonly JsonValue[]) => {
      const writer = await inner.createWriter(context, state)
      let left = gate.left
      wakeUps.add(() => {
        left = gate.left
        context.wakeUp()
      })
      return gated(writer, { isShut: () => left <= 0, take: () => void left-- })
    },
  }
}

function gated<T>(writer: SinkWriter<T>, gate: { isShut(): boolean; take(): void }): SinkWriter<T> {
  return {
    write(value, timestamp) {
      gate.take()
      writer.write(value, timestamp)
    },
    get blocked() {
      return gate.isShut()
    },
    flush: end => writer.flush(end),
    prepareCommit: () => writer.prepareCommit(),
    snapshotState: id => writer.snapshotState(id),
    close: () => writer.close(),
  }
}
