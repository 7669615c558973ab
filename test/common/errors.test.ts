import { expect, test } from '@jest/globals'
import { declaredErrors, defineErrors, isWeirError } from '../../src/common/errors.ts'

const errors = defineErrors({
  WEIR_TEST_BROKEN: {
    domain: 'user',
    retry: 'never',
    message: (e: { part: string }) => `${e.part} is broken`,
    next: (e: { part: string }) => `mend ${e.part}`,
  },
})

test('an error shows code, message and next step', () => {
  const cause = new Error('lower')
  const error = errors.WEIR_TEST_BROKEN({ part: 'wheel' }, cause)
  expect(String(error)).toBe('WEIR_TEST_BROKEN  wheel is broken\n  next: mend wheel')
  expect(error).toMatchObject({ code: 'WEIR_TEST_BROKEN', domain: 'user', retry: 'never', cause })
  expect(isWeirError(error)).toBe(true)
  expect(isWeirError(cause)).toBe(false)
})

test('every declaration is known, and none can be made twice', () => {
  expect(declaredErrors().has('WEIR_TEST_BROKEN')).toBe(true)
  const again = { domain: 'user', retry: 'never', message: () => '', next: '' } as const
  expect(() => defineErrors({ WEIR_TEST_BROKEN: again })).toThrow(/declared twice/)
})
