import { expect, test } from '@jest/globals'
import { conditionsOf } from '../../src/controller/conditions.ts'

const found = (message: string, holds = true) => [
  { type: 'Ready', holds, reason: 'Running', message },
]
const before = [
  {
    type: 'Backpressured',
    status: 'True',
    reason: 'High',
    message: 'x',
    lastTransitionTime: 'then',
  },
  { type: 'Ready', status: 'True', reason: 'Running', message: 'y', lastTransitionTime: 'then' },
  { type: 'Stalled', status: 'True', reason: 'Paused', message: 'z', lastTransitionTime: 'then' },
] as const
const at = { before, known: ['Ready', 'Stalled'], generation: 2, nowMs: 0 }

test('what a newer controller says stays; what this one no longer finds goes', () => {
  const [newer, ready, ...others] = conditionsOf({ ...at, findings: found('it runs') })
  expect(newer).toEqual(before[0])
  expect(ready).toMatchObject({ message: 'it runs', lastTransitionTime: 'then' })
  expect(others).toEqual([])
})

test('a changed value has a new time, and no message has a secret', () => {
  const findings = found('s3://me:hush@host is away', false)
  expect(conditionsOf({ ...at, findings })[1]).toMatchObject({
    status: 'False',
    message: 's3://***@host is away',
    lastTransitionTime: '1970-01-01T00:00:00Z',
  })
})
