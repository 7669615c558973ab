/** The input of the Nexmark benchmark: events, single bids, and words for counting. */
import type { Source } from '../../api/source.ts'
import type { Format } from '../../schema/format.ts'
import { json } from '../../schema/json-format.ts'
import { text } from '../../schema/text-format.ts'
import type { Type } from '../../schema/type.ts'
import { numberedSource } from '../numbered-source.ts'
import type { NumberedSplit } from '../numbered-split.ts'
import { NexmarkBid, NexmarkEvent } from './nexmark-events.ts'
import { NexmarkGenerator, nexmarkWordAt } from './nexmark-generator.ts'
import { makeBytesReader, type PreparedBytes, prepareBytes } from './prepared-bytes.ts'

/** How many records there are, and in what form. */
export interface NexmarkOptions {
  /** How many records: events, bids or words. */
  readonly count: number
  /** Events per second of event time; default 10,000. */
  readonly rate?: number
  /**
   * `generator` (the default): records are made as objects. `bytes`: they are encoded once, before
   * the first is read, about 180 bytes each, and parsed while the job runs, as a job does with what
   * it gets from outside.
   */
  readonly input?: 'generator' | 'bytes'
  /** With `bytes`: the only fields to parse; the others are `undefined`. */
  readonly fields?: readonly string[]
  /** The records repeat after so many; with `bytes` only these are held. */
  readonly ring?: number
  /** Of real time, all readers together; left out, as fast as they are taken. */
  readonly ratePerSecond?: number
}

const RATE = 10_000

/** People, auctions and bids, in the order of their `dateTime`. */
export function nexmarkEvents(options: NexmarkOptions): Source<NexmarkEvent, NumberedSplit> {
  const { eventAt } = new NexmarkGenerator(options.rate ?? RATE)
  return makeSource('nexmark-events', options, {
    format: json(NexmarkEvent),
    decoded: decodedFields(NexmarkEvent, options),
    recordAt: eventAt,
  })
}

/** The bids among the events, numbered by themselves. */
export function nexmarkBids(options: NexmarkOptions): Source<NexmarkBid, NumberedSplit> {
  const { bidAt } = new NexmarkGenerator(options.rate ?? RATE)
  return makeSource('nexmark-bids', options, {
    format: json(NexmarkBid),
    decoded: decodedFields(NexmarkBid, options),
    recordAt: bidAt,
  })
}

/** Words: few of them frequent, many rare. They have no time. */
export function nexmarkWords(options: NexmarkOptions): Source<string, NumberedSplit> {
  const format = text()
  return makeSource('nexmark-words', options, {
    format,
    decoded: format,
    recordAt: nexmarkWordAt,
  })
}

interface Feed<T> {
  readonly format: Format<T>
  /** How the bytes are read: with fewer fields, if the options say so. */
  readonly decoded: Format<T>
  readonly recordAt: (n: number) => T
}

/**
 * Who leaves fields out knows that they are not there; the type of the records is kept for both.
 */
function decodedFields<T>(type: Type<T>, { fields }: NexmarkOptions): Format<T> {
  if (fields === undefined) return json(type)
  return json(type, { fields: fields as readonly never[] }) as unknown as Format<T>
}

function makeSource<T>(
  name: string,
  options: NexmarkOptions,
  feed: Feed<T>,
): Source<T, NumberedSplit> {
  const { count, ring, ratePerSecond, input = 'generator' } = options
  const { format, decoded, recordAt } = feed
  if (input === 'generator') {
    const repeated = ring === undefined ? recordAt : (n: number) => recordAt(n % ring)
    const { type } = format
    return numberedSource({ name, type, count, ratePerSecond, makeRecordAt: () => repeated })
  }
  const held = Math.min(ring ?? count, count)
  // Encoded for the first reader: a process that only plans the job has no use for the bytes.
  let bytes: PreparedBytes | undefined
  const makeRecordAt = (): ((n: number) => T) => {
    bytes ??= prepareBytes(format, held, recordAt)
    return makeBytesReader(bytes, decoded)
  }
  return numberedSource({ name, type: decoded.type, count, ratePerSecond, makeRecordAt })
}
