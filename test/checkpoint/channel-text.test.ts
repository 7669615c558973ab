import { expect, test } from '@jest/globals'
import { channelOfText, channelText } from '../../src/checkpoint/channel-text.ts'
import type { StoredChannel } from '../../src/checkpoint/checkpoint-metadata.ts'

const section = { offset: 4_096, length: 120, crc: 0xc0ffee }
const input: StoredChannel = {
  direction: 'input',
  from: 0,
  to: 3,
  mark: { watermark: 1_700_000_000_000, idle: false },
  file: 'source-3.state',
  section,
}

test('a channel is one readable line', () => {
  expect(channelText(input)).toBe('input 0>3 1700000000000 active source-3.state 4096 120 00c0ffee')
})

const nothing = { file: undefined, section: undefined }
test.each<[string, StoredChannel]>([
  ['an input with data', input],
  ['without data', { ...input, ...nothing }],
  ['idle', { ...input, mark: { watermark: -5.5, idle: true } }],
  ['without a watermark', { ...input, mark: { watermark: 'none', idle: false } }],
  ['at its end', { ...input, mark: { watermark: 'end', idle: false } }],
  ['an output', { ...input, direction: 'output', mark: undefined }],
])('reading what was written gives the same: %s', (_sentence, channel) => {
  expect(channelOfText.parse(channelText(channel))).toEqual(channel)
})

test.each([
  'input 0>3 5 active',
  'inside 0>3 5 active - - - -',
  'input 0>x 5 active - - - -',
  'input 0>3 soon active - - - -',
  'input 0>3 5 active file -1 2 00000000',
  'input 0>3 5 active file 1 2 zzz',
])('what is no channel is refused: %s', text => {
  expect(channelOfText.safeParse(text).success).toBe(false)
})
