import { openScratchRoot } from './scratch-root.ts'
import { openSession } from './test-session.ts'

/** Jest calls it once, before the first test: workers inherit the variables. */
export default function setup() {
  process.env.TMPDIR = openScratchRoot()
  process.env.WEIR_TESTBED_SESSION = openSession()
}
