/** Sends each record to several targets. */
import { cloneFunction } from '../common/clone-function.ts'
import type { Push } from './stream-operator.ts'

/**
 * One function for all targets. A single target is given as it is, so that V8 can inline it into
 * its caller; for several, a function with one call site a target is generated: a loop over an
 * array would have one site that sees them all.
 */
export function fanOut(targets: readonly Push[]): Push {
  const [only] = targets
  if (only === undefined) return () => {}
  if (targets.length === 1) return only
  const names = targets.map((_, index) => `target${index}`)
  const calls = names.map(name => `${name}(value, timestamp)`).join('\n')
  // The source is made here from numbers only.
  const make = new Function(...names, `return (value, timestamp) => {\n${calls}\n}`)
  return cloneFunction(make as (...targets: readonly Push[]) => Push)(...targets)
}
