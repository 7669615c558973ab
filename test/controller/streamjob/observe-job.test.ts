/** What is put together of a job, and what of it is worked out once. */
import { expect, test } from '@jest/globals'
import { observed, right } from './job-cases.ts'

test('a spec is checked once, as long as it is the same object of the same job', () => {
  const spec = { ...right }
  const first = observed({ spec })
  expect(observed({ spec, status: { phase: 'Running' } }).checked).toBe(first.checked)
  const namesake = observed({ spec, metadata: { name: 'other' } })
  expect(namesake.checked).toMatchObject({ manifest: { metadata: { name: 'other' } } })
  const changed = observed({ spec: { ...spec, parallelism: 2 } })
  expect(changed.checked).toMatchObject({ manifest: { spec: { parallelism: 2 } } })
  expect(changed.wanted?.name).not.toBe(first.wanted?.name)
})

test('a wrong spec stays wrong', () => {
  const spec = { ...right, parallelism: 0 }
  const problem = expect.objectContaining({ reason: 'SpecInvalid' })
  expect(observed({ spec }).problem).toEqual(problem)
  expect(observed({ spec }).problem).toEqual(problem)
  expect(observed({ spec }).wanted).toBeUndefined()
})
