import { expect, test } from '@jest/globals'
import { cliErrors } from '../../src/cli/cli-errors.ts'
import { describeError } from '../../src/cli/describe-error.ts'

test('a known error is code, message and next step', () => {
  const error = cliErrors.WEIR_COMMAND_FILE_UNREADABLE({ file: 'a.yaml', reason: 'no such file' })
  expect(describeError(error)).toBe(
    'WEIR_COMMAND_FILE_UNREADABLE  cannot read a.yaml: no such file\n' +
      '  next: check the path and the permissions of the file\n',
  )
})

test('its cause is shown with the line that threw', () => {
  const error = cliErrors.WEIR_COMMAND_FILE_UNREADABLE(
    { file: 'a', reason: 'x' },
    new RangeError('lower'),
  )
  expect(describeError(error)).toMatch(
    /^WEIR_COMMAND_FILE_UNREADABLE.*\n {2}caused by: RangeError: lower\n {4}at .*describe-error\.test\.ts.*\n {2}next: /,
  )
})

test('a cause that the message already tells is not repeated', () => {
  const lower = cliErrors.WEIR_COMMAND_FILE_UNREADABLE({ file: 'a', reason: 'gone' })
  const error = cliErrors.WEIR_JOB_LOAD_FAILED(
    { file: 'b', where: '', reason: lower.message },
    lower,
  )
  expect(describeError(error)).not.toContain('caused by')
})

test('an unknown error is a defect and shows its stack', () => {
  const text = describeError(new TypeError('oops'))
  expect(text).toMatch(/^WEIR_INTERNAL {2}TypeError: oops\n {4}at /)
  expect(text).toMatch(/next: this is a defect/)
})

test.each([['text'], [undefined], [7]])('even %p can be thrown', thrown => {
  expect(describeError(thrown)).toBe(`WEIR_INTERNAL  ${String(thrown)}\n`)
})
