import { expect, test } from '@jest/globals'
import { clusterErrors } from '../../src/cluster/cluster-errors.ts'
import { errorOf, failureReport } from '../../src/cluster/failure-report.ts'
import { jobIdOf } from '../../src/cluster/job-id.ts'
import { runtimeErrors } from '../../src/runtime/runtime-errors.ts'

const record = { operator: 'parse', reason: 'no number', key: '', place: '' }

test.each([
  ['an error of the world', clusterErrors.WEIR_CHECKPOINTS_FAILING({ reason: 'x' }), 'later'],
  ['a throwing user function', runtimeErrors.WEIR_USER_FUNCTION_FAILED(record), 'now'],
  ['a wrong configuration', clusterErrors.WEIR_STATE_BACKEND_UNKNOWN({ type: 'x' }), 'never'],
  ['an error without a code', new TypeError('x is undefined'), 'now'],
  ['something that is no error', 'oops', 'now'],
])('%s', (_sentence, error, retry) => {
  expect(failureReport(error).retry).toBe(retry)
})

test('survives being sent, with code, next step and stack', () => {
  const error = runtimeErrors.WEIR_USER_FUNCTION_FAILED(record)
  const report = JSON.parse(JSON.stringify(failureReport(error)))
  const again = errorOf(report)
  expect(String(again)).toBe(String(error))
  expect(again.stack).toBe(error.stack)
  expect(errorOf(failureReport(new TypeError('plain'))).message).toBe('TypeError: plain')
})

test('a job id is one segment of a path, different for different namespaces', () => {
  expect(jobIdOf('fraud', 'payments')).toBe('payments.fraud')
  expect(jobIdOf('word count/2')).toBe('default.word-count-2')
})
