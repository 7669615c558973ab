/**
 * The last word of a jobmanager: its facts as they are at its end, in a file that outlives it. In a
 * pod it is the termination message, which the controller finds in the pod's status: nobody can ask
 * a process that has ended with which savepoint it did.
 */
import { writeFileSync } from 'node:fs'
import { messageOf } from '../../../common/errors.ts'
import type { Logger } from '../../../common/logger.ts'
import type { JobFacts } from '../../../protocol/job-facts.ts'
import { factsView } from './facts-view.ts'
import type { RestResources } from './rest-routes.ts'

/** The kubelet cuts what is longer. */
const BYTES_MAX = 4_096

export function writeLastWord(
  file: string | undefined,
  { observed, steering }: RestResources,
  logger: Logger,
): void {
  if (file === undefined) return
  const facts = factsView(observed, steering)
  const text = JSON.stringify(facts)
  const fits = Buffer.byteLength(text) <= BYTES_MAX
  try {
    writeFileSync(file, fits ? text : JSON.stringify(withoutWords(facts)))
  } catch (error) {
    logger.warn({ file, message: messageOf(error) }, 'the last word cannot be written')
  }
}

/** Where the state lies counts more than why something failed. */
function withoutWords(facts: JobFacts): JobFacts {
  const { checkpoints, stop } = facts
  return {
    ...facts,
    lastFailure: null,
    checkpoints: { ...checkpoints, lastFailure: null },
    stop: stop && { ...stop, error: null },
  }
}
