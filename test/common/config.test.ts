import { expect, test } from '@jest/globals'
import { readConfig } from '../../src/common/config.ts'

test('takes defaults from an empty environment', () => {
  const config = readConfig({})
  expect(config.cacheFolder).toMatch(/\.cache\/weir$/)
  expect(config).toMatchObject({ logLevel: 'warn', color: true })
})

test('reads what is set', () => {
  const config = readConfig({ XDG_CACHE_HOME: '/tmp/c', WEIR_LOG: 'debug', NO_COLOR: '1' })
  expect(config).toEqual({
    cacheFolder: '/tmp/c/weir',
    configMapsFolder: undefined,
    logLevel: 'debug',
    color: false,
  })
})

test('refuses an unknown log level by name', () => {
  expect(() => readConfig({ WEIR_LOG: 'loud' })).toThrow(
    /WEIR_LOG is "loud", expected one of debug/,
  )
})
