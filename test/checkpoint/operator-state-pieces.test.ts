import { expect, test } from '@jest/globals'
import { checkpointErrors } from '../../src/checkpoint/checkpoint-errors.ts'
import type { SubtaskMetadata } from '../../src/checkpoint/checkpoint-metadata.ts'
import { divideOperatorState } from '../../src/checkpoint/operator-state-pieces.ts'
import type { OperatorStateHandle } from '../../src/checkpoint/snapshot-handle.ts'

function subtask(names: readonly string[], items: number): SubtaskMetadata {
  const operatorState = names.map((name): OperatorStateHandle => {
    const section = { offset: 0, length: items, crc: 0 }
    const itemLengths = Array.from({ length: items }, () => 1)
    return { name, redistribution: 'split', schema: {}, section, itemLengths }
  })
  return {
    subtaskIndex: 0,
    keyed: undefined,
    operatorState,
    splits: undefined,
    writerState: undefined,
    committables: undefined,
    privateState: { file: 'a-0.state', sizeBytes: 5 },
    sharedState: [],
  }
}

test('neighbouring items of one list stay one piece', () => {
  const stored = subtask(['s'], 5)
  const state = stored.operatorState[0]
  expect(divideOperatorState([stored], 2)).toEqual([
    [{ file: 'a-0.state', state, from: 0, to: 3 }],
    [{ file: 'a-0.state', state, from: 3, to: 5 }],
  ])
})

test('the remainders of several states go to different subtasks', () => {
  const divided = divideOperatorState([subtask(['a', 'b', 'c'], 1)], 3)
  expect(divided.map(pieces => pieces.map(piece => piece.state.name))).toEqual([
    ['a'],
    ['b'],
    ['c'],
  ])
})

test('a damaged checkpoint without an older one says what is left to do', () => {
  const details = { file: 'f', reason: 'is missing', previous: undefined }
  expect(checkpointErrors.WEIR_CHECKPOINT_CORRUPT(details).next).toMatch(/^no older checkpoint/)
})
