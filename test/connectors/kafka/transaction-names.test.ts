import { expect, test } from '@jest/globals'
import {
  type CleanerOptions,
  isLingering,
  type TransactionName,
  type WriterState,
  writeName,
} from '../../../src/connectors/kafka/transaction-names.ts'

const WRITERS = 3
const open = (base: number, writer: number, run = 'a'): TransactionName => {
  return { base, writer, run, slot: 1 }
}

/** Of a writer that starts again from checkpoint 7 while the others go on. */
function alone(subtaskIndex: number, pending: readonly TransactionName[] = []): CleanerOptions {
  const state: WriterState = {
    writer: subtaskIndex,
    writers: WRITERS,
    pending: pending.map(name => writeName('p', name)),
    jobId: 'j',
    prefix: 'p',
  }
  const restored = [state]
  return { base: 7, subtaskIndex, parallelism: WRITERS, restored, isRestored: true }
}

const lingers = (name: TransactionName, options: CleanerOptions): boolean =>
  isLingering(name, writeName('p', name), options)

test.each([0, 1, 2])('writer %i, which starts again alone, ends what it left open', writer => {
  const prepared = open(3, writer)
  const options = alone(writer, [prepared])
  expect(lingers(open(3, writer, 'b'), options)).toBe(true)
  // Begun since it started again from the same checkpoint before.
  expect(lingers(open(7, writer), options)).toBe(true)
  expect(lingers(prepared, options)).toBe(false)
})

test.each([0, 1, 2])('and leaves alone what the others have open: writer %i', writer => {
  for (const other of [0, 1, 2].filter(one => one !== writer)) {
    // They went on from an older checkpoint, started from the same one, or from none.
    for (const base of [0, 3, 7]) expect(lingers(open(base, other), alone(writer))).toBe(false)
  }
})

test('without a checkpoint each writer ends its own', () => {
  const fresh = { ...alone(1), base: 0, restored: [], isRestored: false }
  expect(lingers(open(0, 1), fresh)).toBe(true)
  expect(lingers(open(0, 2), fresh)).toBe(false)
})
