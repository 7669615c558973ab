import { closeScratchRoot } from './scratch-root.ts'
import { closeSession } from './test-session.ts'

/** Jest calls it once, after the last test. The reporter has noted whether one failed. */
export default async function teardown() {
  const { TMPDIR, WEIR_TESTBED_SESSION, WEIR_TESTBED_KEEP_LOGS } = process.env
  const failed = WEIR_TESTBED_KEEP_LOGS === '1'
  if (WEIR_TESTBED_SESSION !== undefined) await closeSession(WEIR_TESTBED_SESSION, failed)
  if (TMPDIR !== undefined && !failed) closeScratchRoot(TMPDIR)
}
