/** Emits the records of one split of a text file. */
import type { PollResult, SourceOutput } from '../../api/source.ts'
import { cloneFunction } from '../../common/clone-function.ts'
import { MIN_TIMESTAMP } from '../../common/timestamps.ts'
import type { Decoder } from '../../schema/format.ts'
import type { FileSplit } from './file-split.ts'
import type { Framing } from './framing.ts'
import { type LineBatch, LineBatchReader } from './line-batch-reader.ts'
import type { SplitScanner } from './split-scanner.ts'

interface LineLoopOptions<T> {
  readonly decoder: Decoder<T>
  readonly findEnd: Framing['findEnd']
  readonly emptyRecords: boolean
  readonly noTimestamp: number
}

/** Emits up to `output.batchSize` records of the batch. Cloned per reader: self-contained. */
export type LineLoop<T> = (output: SourceOutput<T>, batch: LineBatch) => void

function makeLineLoop<T>(options: LineLoopOptions<T>): LineLoop<T> {
  const { decoder, findEnd, emptyRecords, noTimestamp } = options
  const EXCERPT_BYTES = 1_000
  const reject = (output: SourceOutput<T>, error: unknown, text: Buffer): void =>
    output.reject(error, text.toString('utf8', 0, EXCERPT_BYTES))
  return (output, batch) => {
    const { buffer, base } = batch
    const stop = Math.min(buffer.length, batch.stop)
    let left = output.batchSize
    let at = batch.at
    while (at < stop && left > 0 && !output.blocked) {
      const lineFeed = findEnd(buffer, at)
      const next = lineFeed < 0 ? buffer.length : lineFeed + 1
      let end = lineFeed < 0 ? buffer.length : lineFeed
      if (end > at && buffer[end - 1] === 0x0d) end--
      const start = at
      at = next
      batch.at = next
      if (end === start && !emptyRecords) continue
      output.offset = base + start
      left--
      let value: T
      try {
        value = decoder.read(start, end)
      } catch (error) {
        reject(output, error, buffer.subarray(start, end))
        continue
      }
      output.collect(value, noTimestamp)
    }
  }
}

/** One for all splits of a reader, so that the loop and the decoder warm up once. */
export interface LineLoopSet<T> {
  readonly decoder: Decoder<T>
  readonly loop: LineLoop<T>
  readonly framing: Framing
}

export function makeLineLoopSet<T>(decoder: Decoder<T>, framing: Framing): LineLoopSet<T> {
  const loop = cloneFunction<typeof makeLineLoop<T>>(makeLineLoop)({
    decoder,
    findEnd: framing.findEnd,
    emptyRecords: framing.emptyRecords,
    noTimestamp: MIN_TIMESTAMP,
  })
  return { decoder, loop, framing }
}

export class LineScanner<T> implements SplitScanner<T> {
  readonly #set: LineLoopSet<T>
  readonly #reader: LineBatchReader
  #batch: LineBatch | undefined
  #position: number

  constructor(split: FileSplit, set: LineLoopSet<T>, wakeUp: () => void) {
    this.#set = set
    this.#position = split.position
    this.#reader = new LineBatchReader(split, set.framing, wakeUp)
  }

  get position(): number {
    return this.#position
  }

  emit(output: SourceOutput<T>): PollResult {
    if (this.#batch === undefined) {
      const taken = this.#reader.take()
      if (taken === 'end') return 'end'
      if (taken === undefined) return 'nothing'
      this.#batch = taken
      this.#set.decoder.setBatch(taken.buffer)
    }
    const batch = this.#batch
    this.#set.loop(output, batch)
    this.#position = batch.base + batch.at
    if (batch.at >= Math.min(batch.buffer.length, batch.stop)) this.#batch = undefined
    return 'more'
  }

  close(): Promise<void> {
    return this.#reader.close()
  }
}
