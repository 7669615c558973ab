import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { runTool } from '../../testbed/run-tool.ts'

const source = join(import.meta.dirname, '../../../src')

/** Opens a store in a fresh process and, if so asked, sends a request; prints what was resolved. */
const script = `
import { registerHooks } from 'node:module'
let loads = 0
registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith('@aws-sdk/')) loads++
    return next(specifier, context)
  },
})
const { openStore } = await import(${JSON.stringify(join(source, 'storage/open-store.ts'))})
const random = { next: () => 0.5, uuid: () => 'u' }
const location = 's3://bucket/x?endpoint=http://127.0.0.1:1'
const schedule = (delayMs, callback) => (setTimeout(callback, 0), { cancel() {} })
const clock = { now: () => 0, monotonic: () => 0, schedule }
const store = openStore({ location, folder: '/', random, clock })
const before = loads
process.env.AWS_ACCESS_KEY_ID = process.env.AWS_SECRET_ACCESS_KEY = 'x'
await store.get('a').catch(() => {})
console.log(before === 0, loads > 0)
process.exit()
`

test('the SDK is loaded by the first request, not before', async () => {
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script]
  expect(await runTool(process.execPath, args, { install: '' })).toBe('true true\n')
})
