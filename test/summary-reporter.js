import { existsSync } from 'node:fs'

/**
 * Ends a test run with one line alone, `N passed, N failed`, and names what was skipped: nothing may
 * be left out silently.
 */
export default class SummaryReporter {
  /** @param {unknown} _contexts @param {import('@jest/reporters').AggregatedResult} results */
  onRunComplete(_contexts, results) {
    const skipped = []
    for (const file of results.testResults) {
      for (const test of file.testResults) {
        if (test.status === 'pending' || test.status === 'todo') skipped.push(test.fullName)
      }
    }
    // A file that does not even load counts as one failure.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites
    const lines = skipped.map(name => `skipped: ${name}`)
    const session = process.env.WEIR_TESTBED_SESSION
    if (failed > 0 && session !== undefined && existsSync(session)) {
      // The teardown, which comes after this, leaves the logs where they are.
      process.env.WEIR_TESTBED_KEEP_LOGS = '1'
      lines.push(`logs of the testbed: ${session}`)
    }
    const suffix = skipped.length === 0 ? '' : `, ${skipped.length} skipped`
    lines.push(`${results.numPassedTests} passed, ${failed} failed${suffix}`)
    // After the default reporter's own lines, which go to standard error.
    process.stderr.write('', () => process.stdout.write(`${lines.join('\n')}\n`))
  }
}
