import { closeSession } from './test-session.ts'

/** Jest calls it once, after the last test. The reporter has noted whether one failed. */
export default async function teardown() {
  const { WEIR_TESTBED_SESSION, WEIR_TESTBED_KEEP_LOGS } = process.env
  if (WEIR_TESTBED_SESSION !== undefined) {
    await closeSession(WEIR_TESTBED_SESSION, WEIR_TESTBED_KEEP_LOGS === '1')
  }
}
