import { expect, test } from '@jest/globals'
import { functionInputs } from '../../../src/runtime/operators/function-inputs.ts'
import {
  makeCollector,
  type OutputCollector,
} from '../../../src/runtime/operators/output-collector.ts'
import type { OperatorContext } from '../../../src/runtime/stream-operator.ts'
import { testContext } from './test-context.ts'

const functionContext = { said: [] as unknown[] }
type Said = typeof functionContext

/** Gives what it gets; an odd number is refused before anything is given. */
function relay(value: unknown, { said }: Said, collector: OutputCollector): void {
  if (Number(value) % 2 === 1) throw new Error('odd')
  said.push(value)
  collector.collect(value)
}

function opened(overrides: Partial<OperatorContext>) {
  const given: unknown[] = []
  const context = testContext({ emit: (...record) => void given.push(record), ...overrides })
  const inputs = functionInputs(context, makeCollector(context))
  return { context, given, inputs }
}

test('a record reaches the function with its context, and what it gives has its time', () => {
  const { inputs, given, context } = opened({})
  functionContext.said.length = 0
  inputs.plain({ process: relay, functionContext })(2, 70)
  expect(functionContext.said).toEqual([2])
  expect(given).toEqual([[2, 70]])
  expect(context.metrics).toMatchObject({ recordsIn: 1, recordsOut: 1 })
})

test('a keyed one stands on its key', () => {
  const { inputs, context } = opened({})
  const backend = context.keyedState()
  const keys: unknown[] = []
  const process = (): void => void keys.push(backend.currentKey())
  const select = (value: unknown): string => `k${String(value)}`
  const push = inputs.keyed({ process, functionContext, backend, select })
  push(1, 0)
  push(2, 0)
  expect(keys).toEqual(['k1', 'k2'])
})

test('both inputs of an operator spend one budget', () => {
  const { inputs, context } = opened({ errorPolicy: { kind: 'skip', budget: 2 } })
  const left = inputs.plain({ process: relay, functionContext })
  const right = inputs.plain({ process: relay, functionContext })
  left(1, 0)
  right(3, 0)
  expect(context.metrics.recordsSkipped).toBe(2)
  expect(() => left(5, 0)).toThrow(/odd/)
})

test('a key that cannot be had is an error of the record', () => {
  const { inputs, context } = opened({ errorPolicy: { kind: 'skip', budget: 1 } })
  const select = (): never => {
    throw new Error('no key')
  }
  const backend = context.keyedState()
  inputs.keyed({ process: relay, functionContext, backend, select })(2, 0)
  expect(context.metrics.recordsSkipped).toBe(1)
})

test('what the operators behind throw is not skipped', () => {
  const emit = (): never => {
    throw new Error('behind')
  }
  const { inputs, context } = opened({ emit, errorPolicy: { kind: 'skip', budget: 9 } })
  expect(() => inputs.plain({ process: relay, functionContext })(2, 0)).toThrow('behind')
  expect(context.metrics.recordsSkipped).toBe(0)
})
