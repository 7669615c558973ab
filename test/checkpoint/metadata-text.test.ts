import { crc32 } from 'node:zlib'
import { expect, test } from '@jest/globals'
import { buildMetadata, type CheckpointMetadata } from '../../src/checkpoint/checkpoint-metadata.ts'
import { readMetadata, writeMetadata } from '../../src/checkpoint/metadata-text.ts'
import { description, emptyPart, keyedSnapshot, subtaskHandle } from './snapshot-parts.ts'

const file = { path: '/store/job/chk-7/_metadata', previous: undefined }

function metadata(): CheckpointMetadata {
  const parts = [0, 1].map(index => {
    const keyed = keyedSnapshot({ index, parallelism: 2, maxParallelism: 128 }, g => g % 9 === 0)
    const state = {
      name: 'broadcast',
      redistribution: 'broadcast' as const,
      schema: { kind: 'string' },
      keySchema: { kind: 'int32' },
      items: [Buffer.from('k v')],
    }
    const aggregate = { ...emptyPart('aggregate'), keyed, operatorState: [state] }
    const sink = {
      ...emptyPart('sink'),
      writerState: [{ file: 'part-0' }],
      committables: [
        {
          checkpointId: 7,
          committable: { name: 'part-0', size: 3 },
          transaction: { name: `part-${index}`, records: 5 + index },
        },
        { checkpointId: 7, committable: 'nothing is said of it' },
      ],
    }
    const { handle } = subtaskHandle('aggregate', index, { parts: [aggregate, sink] })
    return { ...handle, metrics: { ...handle.metrics, recordsPerSink: { sink: 8 } } }
  })
  const splits = [Object.assign({ id: 'a' }, { offset: 12 })]
  const source = subtaskHandle('source', 0, { parts: [{ ...emptyPart('source'), splits }] }).handle
  const counted = { ...source, metrics: { ...source.metrics, recordsPerSplit: { a: 12 } } }
  return buildMetadata({
    kind: 'checkpoint',
    checkpointId: 7,
    jobId: 'default.job',
    jobName: 'job',
    generation: 3,
    triggeredAtMs: 1_000,
    completedAtMs: 1_010,
    operators: [
      description('source', 1),
      description('aggregate', 2),
      description('sink', 2, { vertexId: 'aggregate', uid: undefined }),
    ],
    subtasks: [counted, ...parts.toReversed()],
    edges: [],
    enumerators: new Map([['source', { pending: ['b'], next: null }]]),
    proofBefore: {
      recordsPerSplit: { source: { a: 30, z: 5 } },
      recordsPerSink: { sink: 20, gone: 1 },
      recordsPerTransaction: { sink: { 'part-of-then': 20 } },
    },
  })
}

test('M1: reading what was written gives the same metadata', () => {
  expect(readMetadata(writeMetadata(metadata()), file)).toEqual(metadata())
})

test('subtasks stand in order, and the counts of the proof go on', () => {
  const { operators, proof } = metadata()
  expect(operators[1]?.subtasks.map(subtask => subtask.subtaskIndex)).toEqual([0, 1])
  expect(proof).toEqual({
    recordsPerSplit: { source: { a: 42, z: 5 } },
    recordsPerSink: { sink: 36, gone: 1 },
    // Only what this checkpoint commits.
    recordsPerTransaction: { sink: { 'part-0': 5, 'part-1': 6 } },
  })
})

test('the proof of a checkpoint of before there were sinks in it is read', () => {
  const blank = '"checksum": "00000000"'
  const { recordsPerSplit } = metadata().proof
  const old = writeMetadata({ ...metadata(), proof: { recordsPerSplit } as never }).toString()
  const text = old.replace(/"checksum": "\w+"/, blank)
  const checksum = crc32(text).toString(16).padStart(8, '0')
  const read = readMetadata(Buffer.from(text.replace(blank, `"checksum": "${checksum}"`)), file)
  expect(read.proof).toEqual({ recordsPerSplit, recordsPerSink: {}, recordsPerTransaction: {} })
})

test('is readable: a line a key group, states once', () => {
  const text = writeMetadata(metadata()).toString()
  expect(text).toMatch(/^ {14}"9 16 3 [0-9a-f]{8}",$/m)
  expect(text.match(/"counts"/g)).toHaveLength(1)
})

test('M2: every cut of the text is refused', () => {
  const bytes = writeMetadata(metadata())
  for (let length = 0; length < bytes.length - 1; length += 7) {
    expect(() => readMetadata(bytes.subarray(0, length), file)).toThrow(
      expect.objectContaining({ code: 'WEIR_CHECKPOINT_CORRUPT' }),
    )
  }
})

test('M2: every changed byte is refused', () => {
  const bytes = writeMetadata(metadata())
  for (let at = 0; at < bytes.length; at += 3) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] as number) ^ 1
    expect(() => readMetadata(changed, file)).toThrow(/_metadata (is|has)/)
  }
})

test('a version of the future is refused by its number', () => {
  const text = writeMetadata(metadata())
    .toString()
    .replace('"formatVersion": 1', '"formatVersion": 3')
  expect(() => readMetadata(Buffer.from(text), file)).toThrow(
    expect.objectContaining({
      code: 'WEIR_CHECKPOINT_FORMAT',
      message: '/store/job/chk-7/_metadata has format version 3; this Weir reads up to 2',
    }),
  )
})
