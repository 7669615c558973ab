/**
 * Collects the records of one edge into batches. The makers are cloned for each edge of each
 * subtask: `push` is on the path of every record.
 *
 * A batch is handed over when it is full, when an event follows it, and at the end of the task's
 * turn (`flush`), so that a record waits at most for one turn. Batches start small and grow with
 * the rate: a slow stream does not pay for arrays of 512 records.
 */
import { cloneFunction } from '../../common/clone-function.ts'
import type { Push } from '../stream-operator.ts'
import type { ChannelSelector } from './partitioners.ts'

/** Records of the smallest and largest batch. Beyond 512 they outgrow the first-level cache. */
export const BATCH_RECORDS_MIN = 16
export const BATCH_RECORDS_MAX = 512

/** Takes a batch: value and timestamp by turns, `size` records. */
export type HandOver = (channel: number, items: unknown[], size: number) => void

export interface RecordWriter {
  readonly push: Push
  /** Hands over what is collected. */
  flush(): void
}

export interface WriterOptions {
  readonly channels: number
  /** `undefined`: everything to channel 0 (which for a broadcast edge stands for all). */
  readonly select: ChannelSelector | undefined
  readonly handOver: HandOver
}

export function makeRecordWriter({ channels, select, handOver }: WriterOptions): RecordWriter {
  const limits = { smallest: BATCH_RECORDS_MIN * 2, largest: BATCH_RECORDS_MAX * 2 }
  if (select === undefined) return cloneFunction(makeSingleWriter)(handOver, limits)
  return cloneFunction(makeRoutedWriter)({ channels, select, handOver }, limits)
}

/** In array items: two a record. */
interface Limits {
  readonly smallest: number
  readonly largest: number
}

function makeSingleWriter(handOver: HandOver, limits: Limits): RecordWriter {
  const { smallest, largest } = limits
  let length = smallest
  let items = new Array<unknown>(length)
  let used = 0
  const give = (): void => {
    const full = items
    const size = used >> 1
    if (used === length && length < largest) length *= 2
    else if (used * 4 < length && length > smallest) length /= 2
    items = new Array<unknown>(length)
    used = 0
    handOver(0, full, size)
  }
  return {
    push: (value, timestamp) => {
      items[used] = value
      items[used + 1] = timestamp
      used += 2
      if (used === length) give()
    },
    flush: () => {
      if (used > 0) give()
    },
  }
}

function makeRoutedWriter(
  { channels, select, handOver }: WriterOptions & { readonly select: ChannelSelector },
  limits: Limits,
): RecordWriter {
  const { smallest, largest } = limits
  const lengths = new Int32Array(channels).fill(smallest)
  const used = new Int32Array(channels)
  const open = Array.from({ length: channels }, () => new Array<unknown>(smallest))
  const give = (channel: number): void => {
    const full = open[channel] as unknown[]
    const count = used[channel] as number
    let length = lengths[channel] as number
    if (count === length && length < largest) length *= 2
    else if (count * 4 < length && length > smallest) length /= 2
    lengths[channel] = length
    open[channel] = new Array<unknown>(length)
    used[channel] = 0
    handOver(channel, full, count >> 1)
  }
  return {
    push: (value, timestamp) => {
      const channel = select(value)
      const items = open[channel] as unknown[]
      const at = used[channel] as number
      items[at] = value
      items[at + 1] = timestamp
      used[channel] = at + 2
      if (at + 2 === lengths[channel]) give(channel)
    },
    flush: () => {
      for (let channel = 0; channel < channels; channel++) {
        if ((used[channel] as number) > 0) give(channel)
      }
    },
  }
}
