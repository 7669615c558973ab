import type { Sink, SinkContext, SinkWriter } from '../../api/sink.ts'
import { ByteWriter } from '../../common/bytes.ts'
import type { Encoder, Format } from '../../schema/format.ts'

/** Where lines go: standard output, unless a test or a program says otherwise. */
export interface LineOutput {
  /** False when it wants no more until `onDrain` is called back. */
  write(bytes: Uint8Array): boolean
  /** Calls back once, when it takes more again. */
  onDrain(callback: () => void): void
}

/** How records become lines. */
export interface ConsoleSinkOptions<IN> {
  /** How a record is a line. Default: JSON of the value as it is, text as text. */
  readonly format?: Format<IN>
  /** Put before each line, to tell several sinks apart. */
  readonly prefix?: string
  readonly name?: string
  readonly output?: LineOutput
}

const standardOutput: LineOutput = {
  write: bytes => process.stdout.write(bytes),
  onDrain: callback => process.stdout.once('drain', callback),
}

/** So much is gathered before it is written; the rest goes with the next barrier or tick. */
const CHUNK_BYTES = 16 * 1024
/** A person who looks on should not wait longer for a line. */
const LATENCY_MS = 100
const LINE_FEED = 0x0a

/** Prints each record as a line, at least once: lines after the last checkpoint may come again. */
export function consoleSink<IN>(options: ConsoleSinkOptions<IN> = {}): Sink<IN, never> {
  return {
    name: options.name ?? 'console',
    delivery: 'at-least-once',
    createWriter: context => new ConsoleWriter(context, options),
  }
}

class ConsoleWriter<IN> implements SinkWriter<IN, never> {
  readonly #context: SinkContext
  readonly #output: LineOutput
  readonly #encoder: Encoder<IN>
  readonly #prefix: Buffer
  #out = new ByteWriter(CHUNK_BYTES)
  #scheduled = false
  #closed = false
  blocked = false

  constructor(context: SinkContext, options: ConsoleSinkOptions<IN>) {
    this.#context = context
    this.#output = options.output ?? standardOutput
    this.#encoder = options.format?.makeEncoder() ?? plainEncoder
    this.#prefix = Buffer.from(options.prefix ?? '')
  }

  write(value: IN): void {
    const out = this.#out
    const before = out.length
    out.writeBytes(this.#prefix)
    try {
      this.#encoder.write(out, value)
    } catch (error) {
      out.length = before
      throw error
    }
    out.writeUint8(LINE_FEED)
    if (out.length >= CHUNK_BYTES) this.#print()
    else if (!this.#scheduled) this.#printSoon()
  }

  flush(): void {
    this.#print()
  }

  prepareCommit(): readonly never[] {
    return []
  }

  snapshotState(): readonly never[] {
    return []
  }

  close(): void {
    this.#print()
    this.#closed = true
  }

  #printSoon(): void {
    this.#scheduled = true
    this.#context.clock.schedule(LATENCY_MS, () => {
      this.#scheduled = false
      if (!this.#closed) this.#print()
    })
  }

  #print(): void {
    if (this.#out.length === 0) return
    const wantsMore = this.#output.write(this.#out.copy())
    this.#out.clear()
    if (wantsMore || this.blocked) return
    this.blocked = true
    this.#output.onDrain(() => {
      this.blocked = false
      this.#context.wakeUp()
    })
  }
}

/** For values without a schema. What JSON cannot hold (a bigint) is shown as text. */
const plainEncoder: Encoder<unknown> = {
  write(out, value) {
    const line =
      typeof value === 'string'
        ? value
        : JSON.stringify(value, (_key, held) => (typeof held === 'bigint' ? String(held) : held))
    const text = line ?? String(value)
    out.reserve(text.length * 3)
    out.length += out.buffer.write(text, out.length, 'utf8')
  },
}
