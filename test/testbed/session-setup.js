import { openSession } from './test-session.ts'

/** Jest calls it once, before the first test: workers inherit the variable. */
export default function setup() {
  process.env.WEIR_TESTBED_SESSION = openSession()
}
