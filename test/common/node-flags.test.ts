import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { nodeFlags } from '../../src/common/node-flags.ts'

test('the launcher starts Node with the same flags', () => {
  const launcher = readFileSync(new URL('../../weir', import.meta.url), 'utf8')
  expect(launcher).toContain(`exec "$node" ${nodeFlags.join(' ')} `)
})
