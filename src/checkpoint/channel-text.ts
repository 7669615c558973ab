/**
 * Channels in the text of the metadata, a line each, since there may be many thousands:
 * `input 0>3 1700000000000 active source-1.state 4096 120 00c0ffee`: the side that recorded it, old
 * sender and receiver, watermark and status (of an input), then file, offset, length and checksum.
 * What is absent is `-`.
 */
import { z } from 'zod'
import type { StoredChannel } from './checkpoint-metadata.ts'
import type { ChannelMarkHandle, StoredWatermark } from './snapshot-handle.ts'

const NOTHING = '-'
const WORDS = 8

export function channelText({ direction, from, to, mark, file, section }: StoredChannel): string {
  const event = mark === undefined ? [NOTHING, NOTHING] : [mark.watermark, statusOf(mark)]
  const place =
    section === undefined
      ? [NOTHING, NOTHING, NOTHING, NOTHING]
      : [file, section.offset, section.length, section.crc.toString(16).padStart(8, '0')]
  return [direction, `${from}>${to}`, ...event, ...place].join(' ')
}

function statusOf({ idle }: ChannelMarkHandle): string {
  return idle ? 'idle' : 'active'
}

export const channelOfText = z.string().transform((text, context): StoredChannel => {
  const words = text.split(' ')
  const [direction, route = '', watermark = '', status, file, offset, length, crc = ''] = words
  const [from = Number.NaN, to = Number.NaN] = route.split('>').map(Number)
  const mark =
    watermark === NOTHING
      ? undefined
      : { watermark: watermarkOf(watermark), idle: status === 'idle' }
  const section =
    file === NOTHING
      ? undefined
      : { offset: Number(offset), length: Number(length), crc: Number.parseInt(crc, 16) }
  const numbers = [from, to, ...(section === undefined ? [] : Object.values(section))]
  const isDirection = direction === 'input' || direction === 'output'
  const isMark = mark === undefined || !Number.isNaN(mark.watermark as number)
  if (words.length !== WORDS || !isDirection || !isMark || !numbers.every(isCount)) {
    context.addIssue({ code: 'custom', message: `not a channel: ${text}` })
    return z.NEVER
  }
  return { direction, from, to, mark, file: section && file, section }
})

function watermarkOf(text: string): StoredWatermark {
  return text === 'none' || text === 'end' ? text : Number(text)
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
