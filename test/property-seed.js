/**
 * Property tests draw their cases from one seed, so that a run can be repeated. `WEIR_TEST_SEED`
 * chooses another, to look further than the last run did.
 */
import fc from 'fast-check'

fc.configureGlobal({ seed: Number(process.env.WEIR_TEST_SEED ?? 1) })
