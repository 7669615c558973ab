/** Sends each record to several targets. */
import { cloneFunction } from '../common/clone-function.ts'
import type { Push } from './stream-operator.ts'

/**
 * One function for all targets. A single target is given as it is, so that V8 can inline it into
 * its caller. Several are joined two by two, each pair with a clone of its own: a loop over an
 * array would have one call site that sees them all.
 */
export function fanOut(targets: readonly Push[]): Push {
  if (targets.length === 0) return () => {}
  return targets.reduceRight((rest, target) => cloneFunction(makePair)(target, rest))
}

/** Self-contained: see `cloneFunction`. */
function makePair(first: Push, second: Push): Push {
  return (value, timestamp) => {
    first(value, timestamp)
    second(value, timestamp)
  }
}
