import { expect, test } from '@jest/globals'
import {
  BATCH_RECORDS_MAX,
  BATCH_RECORDS_MIN,
  makeRecordWriter,
} from '../../../src/runtime/network/record-writer.ts'

function writerOf(channels: number) {
  const sizes: number[] = []
  const writer = makeRecordWriter({
    channels,
    select: channels === 1 ? undefined : value => Number(value) % channels,
    handOver: (_channel, _items, size) => void sizes.push(size),
  })
  return { writer, sizes }
}

test.each([1, 2])('a full batch is handed over at once, and the next is larger: %i', channels => {
  const { writer, sizes } = writerOf(channels)
  for (let n = 0; n < 3_000; n++) writer.push(n * channels, 0)
  expect(sizes.slice(0, 3)).toEqual([
    BATCH_RECORDS_MIN,
    BATCH_RECORDS_MIN * 2,
    BATCH_RECORDS_MIN * 4,
  ])
  expect(sizes.at(-1)).toBe(BATCH_RECORDS_MAX)
})

test.each([1, 2])('batches shrink again when little comes: %i', channels => {
  const { writer, sizes } = writerOf(channels)
  for (let n = 0; n < 3_000; n++) writer.push(n * channels, 0)
  for (let n = 0; n < 20; n++) {
    writer.push(0, 0)
    writer.flush()
  }
  sizes.length = 0
  for (let n = 0; n < BATCH_RECORDS_MIN; n++) writer.push(0, 0)
  expect(sizes).toEqual([BATCH_RECORDS_MIN])
})

test.each([1, 2])('nothing collected is nothing to hand over: %i', channels => {
  const { writer, sizes } = writerOf(channels)
  writer.flush()
  writer.push(1, 0)
  writer.flush()
  writer.flush()
  expect(sizes).toEqual([1])
})
