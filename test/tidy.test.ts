/**
 * The house rules, held by a test. Each finding names the file, the line and what to do instead; an
 * exception stands in `tidy/exceptions.json` with its reason, and one that nothing needs fails.
 */
import { describe, expect, test } from '@jest/globals'
import { homeBans, textual } from './tidy/bans.ts'
import {
  exceptions,
  type Finding,
  isExcepted,
  type Rule,
  type TidyException,
} from './tidy/finding.ts'
import { cycles, layers } from './tidy/layers.ts'
import {
  deadErrors,
  deadExports,
  deadFiles,
  docstrings,
  fileNames,
  headers,
  invariants,
  readingOrderExists,
  testMirror,
} from './tidy/names.ts'
import { exportCounts, fileSizes, functionSizes, lineWidths, syntaxBans } from './tidy/sizes.ts'
import { sourceFiles } from './tidy/source-file.ts'

const rules: Record<string, Rule> = {
  layers,
  cycles,
  'file-size': fileSizes,
  'function-size': functionSizes,
  'line-width': lineWidths,
  'export-count': exportCounts,
  syntax: syntaxBans,
  home: homeBans,
  text: textual,
  'file-name': fileNames,
  header: headers,
  invariant: invariants,
  docstring: docstrings,
  'reading-order': readingOrderExists,
  'dead-file': deadFiles,
  'dead-export': deadExports,
  'dead-error': deadErrors,
  'test-mirror': testMirror,
}

const used = new Set<TidyException>()

function open(rule: string, findings: readonly Finding[]): string[] {
  return findings
    .filter(finding => {
      const exception = isExcepted(rule, finding)
      if (exception !== undefined) used.add(exception)
      return exception === undefined
    })
    .map(({ file, line, text }) => `${file}:${line}  ${text}`)
}

describe('the house is tidy', () => {
  test.each(Object.entries(rules))('%s', (name, rule) => {
    expect(open(name, rule(sourceFiles()))).toEqual([])
  })

  test('every exception has a known rule, a reason, and something to except', () => {
    const idle = exceptions.filter(
      one => !used.has(one) || one.reason.length < 20 || rules[one.rule] === undefined,
    )
    expect(idle).toEqual([])
  })
})
