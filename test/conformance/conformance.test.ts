/**
 * Every suite of vectors through the operators that jobs use. The vectors lie beside the checkout, or
 * where WEIR_CONFORMANCE says; without them the suites are skipped by name.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { runSuite, suiteNames } from './run.ts'
import { vectorFolder } from './vector-folder.ts'

describe.each(suiteNames())('%s', suite => {
  const file = join(vectorFolder, `${suite}.jsonl`)
  const present = existsSync(file)
  const title = present ? 'every vector passes' : `skipped: no ${suite}.jsonl in WEIR_CONFORMANCE`
  const run = present ? test : test.skip
  run(title, async () => {
    const { passed, failures } = await runSuite(suite, file)
    expect(failures.slice(0, 3)).toEqual([])
    expect(passed).toBeGreaterThan(0)
  })
})

test('a runner that cannot tell right from wrong would pass anything', async () => {
  const { run } = await import('./windows.ts')
  const vector = {
    case: 1,
    assigner: { kind: 'tumbling', time: 'event', size: 10, offset: 0 },
    trigger: { kind: 'default' },
    lateness: 0,
    fn: 'sum',
    ops: [
      ['e', 'a', 3, 1],
      ['w', 9],
    ],
    out: [
      0,
      [
        ['r', 9, 'a', 0, 10, [1, 1], 9, 9],
        ['w', 9],
      ],
    ],
  }
  expect(await run(vector)).toBeUndefined()
  expect(await run({ ...vector, out: [0, [['w', 9]]] })).toMatch(/op 1/)
  expect(await run({ ...vector, out: [0, [['x', 'an error']]] })).toMatch(/op 1/)
  expect(await run({ ...vector, ops: [['e', 'a', null, 1]], out: [[['x', '']]] })).toBeUndefined()
})
