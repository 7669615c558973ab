import { expect, test } from '@jest/globals'
import { isJob, job, WeirError, z } from 'weir'
import { fakeSink, fakeSource } from './fake-parts.ts'

test('each build runs the builder anew with its arguments and parallelism', () => {
  const seen: unknown[] = []
  const made = job('counted', env => {
    seen.push([env.args.get('n'), env.parallelism])
    env.from(fakeSource(z.string())).uid('source').to(fakeSink())
  })
  expect(seen).toEqual([])
  const first = made.build({ args: { n: '1' }, parallelism: 3 })
  const second = made.build()
  expect(seen).toEqual([
    ['1', 3],
    [undefined, 1],
  ])
  expect(first.transformations.map(t => t.id)).toEqual([1, 2])
  expect(second.transformations[0]).not.toBe(first.transformations[0])
  expect(first).toMatchObject({ name: 'counted', parallelism: 3, unreadArguments: [] })
})

test('a job needs no name', () => {
  expect(job(() => undefined).name).toBeUndefined()
})

test('a builder must not be asynchronous', () => {
  const made = job('slow', async () => {})
  expect(() => made.build()).toThrow(WeirError)
  expect(() => made.build()).toThrow('the builder of job slow is asynchronous')
})

test('an error of the builder is the error of the build', () => {
  const made = job(() => {
    throw new RangeError('mine')
  })
  expect(() => made.build()).toThrow(RangeError)
})

test('a job is known by its mark, whichever copy of Weir made it', () => {
  expect(isJob(job(() => undefined))).toBe(true)
  expect(isJob({ [Symbol.for('weir.job')]: true })).toBe(true)
  expect([{ build() {} }, null, undefined, 'job', () => undefined].some(isJob)).toBe(false)
})
