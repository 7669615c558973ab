import { expect, test } from '@jest/globals'
import { checkSection, encodeStateFile, itemsOf } from '../../src/checkpoint/state-file.ts'
import { emptyPart, keyedSnapshot } from './snapshot-parts.ts'

const file = { path: 'chk-7/a-0.state', previous: '/store/job/chk-6' }
const union = { name: 'u', redistribution: 'union', schema: { kind: 'string' } } as const

function encoded() {
  const keyed = keyedSnapshot({ index: 0, parallelism: 4, maxParallelism: 128 }, g => g % 3 === 0)
  const items = ['one', '', 'three'].map(text => Buffer.from(text))
  const result = encodeStateFile([
    { ...emptyPart('a'), keyed, operatorState: [{ ...union, items }] },
    { ...emptyPart('b'), keyed },
  ])
  return { ...result, bytes: Buffer.concat(result.pieces) }
}

test('sections give back what was stored, across the borders of chunks', () => {
  const { bytes, operators, sizeBytes } = encoded()
  expect(bytes.length).toBe(sizeBytes)
  for (const operator of operators) {
    for (const section of operator.keyed?.groups ?? []) {
      const part = bytes.subarray(section.offset, section.offset + section.length)
      checkSection(part, section, file)
      expect(part.toString()).toBe(`g:${section.keyGroup}`)
    }
  }
  const state = operators[0]?.operatorState[0]
  const { section, itemLengths } = state as NonNullable<typeof state>
  const part = bytes.subarray(section.offset, section.offset + section.length)
  checkSection(part, section, file)
  expect(itemsOf(part, itemLengths).map(String)).toEqual(['one', '', 'three'])
})

test('F2: every bit of a section is covered by its checksum', () => {
  const { bytes, operators } = encoded()
  const section = operators[0]?.keyed?.groups[1]
  if (section === undefined) throw new Error('the part has key groups')
  for (let bit = 0; bit < section.length * 8; bit++) {
    const part = Buffer.from(bytes.subarray(section.offset, section.offset + section.length))
    part[bit >> 3] = (part[bit >> 3] as number) ^ (1 << (bit & 7))
    expect(() => checkSection(part, section, file)).toThrow('chk-7/a-0.state is damaged')
  }
})

test('a truncated section is refused, and the previous checkpoint is offered', () => {
  const { bytes, operators } = encoded()
  const section = operators[0]?.keyed?.groups[0]
  if (section === undefined) throw new Error('the part has key groups')
  const part = bytes.subarray(section.offset, section.offset + section.length - 1)
  expect(() => checkSection(part, section, file)).toThrow(
    expect.objectContaining({
      code: 'WEIR_CHECKPOINT_CORRUPT',
      message: expect.stringContaining('is truncated: 2 of 3 bytes'),
      next: 'go back to the one before it: --restore /store/job/chk-6',
    }),
  )
})

test('a snapshot without binary state needs no file', () => {
  const splits = [{ id: 'split-1', offset: 3 }]
  const { pieces, sizeBytes, operators } = encodeStateFile([{ ...emptyPart('source'), splits }])
  expect({ pieces, sizeBytes }).toEqual({ pieces: [], sizeBytes: 0 })
  expect(operators[0]?.splits).toBe(splits)
})

test('a snapshot with a hole is an engine error', () => {
  const keyed = keyedSnapshot({ index: 0, parallelism: 4, maxParallelism: 128 })
  const groups = keyed.groups.filter((_, index) => index !== 1)
  expect(() => encodeStateFile([{ ...emptyPart('a'), keyed: { ...keyed, groups } }])).toThrow('F1')
})
