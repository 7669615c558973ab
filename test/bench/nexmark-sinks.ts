/** Where benchmark rows go: counted and dropped, encoded and dropped, or kept. */
import { ByteWriter } from '../../src/common/bytes.ts'
import type { Sink, SinkWriter } from '../../src/index.ts'
import type { Encoder } from '../../src/schema/format.ts'

export interface Dropped {
  rows: number
}

function writer(write: (value: unknown) => void): SinkWriter<unknown> {
  return {
    write,
    blocked: false,
    flush: () => undefined,
    prepareCommit: () => [],
    snapshotState: () => [],
    close: () => undefined,
  }
}

/** Counts the rows. */
export function droppingSink(dropped: Dropped): Sink<unknown> {
  return {
    name: 'drop',
    delivery: 'exactly-once',
    createWriter: () =>
      writer(() => {
        dropped.rows++
      }),
  }
}

/** Writes each row's JSON into a buffer that is used again and again. */
export function encodingSink(encoder: Encoder<unknown>, dropped: Dropped): Sink<unknown> {
  return {
    name: 'encode',
    delivery: 'exactly-once',
    createWriter: () => {
      const out = new ByteWriter()
      return writer(value => {
        if (out.length > 65_536) out.clear()
        encoder.write(out, value)
        dropped.rows++
      })
    },
  }
}

/** Keeps the rows as JSON; with `key`, the last of each key only. */
export class RowCollector {
  readonly #key: readonly string[] | undefined
  readonly #lines: string[] = []
  readonly #last = new Map<string, string>()

  constructor(key: readonly string[] | undefined) {
    this.#key = key
  }

  readonly sink: Sink<unknown> = {
    name: 'collect',
    delivery: 'exactly-once',
    createWriter: () => writer(value => this.#take(value as Record<string, unknown>)),
  }

  /** Sorted bytewise. */
  lines(): string[] {
    return (this.#key === undefined ? this.#lines : [...this.#last.values()]).toSorted()
  }

  #take(row: Record<string, unknown>): void {
    const line = JSON.stringify(row)
    if (this.#key === undefined) this.#lines.push(line)
    else this.#last.set(this.#key.map(field => row[field]).join(' '), line)
  }
}
