import type { Sink } from '../../api/sink.ts'

/** A sink that only counts. */
export interface BlackholeSink<IN> extends Sink<IN, never> {
  /** Records dropped in this process so far, by all writers and attempts. */
  readonly dropped: number
}

/** Drops every record, counting them: for measuring what comes before. */
export function blackhole<IN = unknown>(options: { name?: string } = {}): BlackholeSink<IN> {
  const writers: { records: number }[] = []
  return {
    name: options.name ?? 'blackhole',
    // Nothing is seen twice where nothing is seen.
    delivery: 'exactly-once',
    get dropped() {
      return writers.reduce((sum, writer) => sum + writer.records, 0)
    },
    createWriter() {
      const writer = new BlackholeWriter()
      writers.push(writer)
      return writer
    },
  }
}

class BlackholeWriter {
  records = 0
  readonly blocked = false

  write(): void {
    this.records++
  }

  flush(): void {}

  prepareCommit(): readonly never[] {
    return []
  }

  snapshotState(): readonly never[] {
    return []
  }

  close(): void {}
}
