/** Clones made so far. */
let cloneCount = 0

/**
 * V8 keeps type feedback per function literal: two operators that share a loop make its call sites
 * polymorphic, and from the fifth shape on megamorphic (about 3x slower a record). A hot loop is
 * therefore written as a *self-contained factory*: it uses its arguments and globals only, no
 * import and no variable of its module, and each operator instance gets a clone with feedback of
 * its own.
 *
 * Each clone's text is different: V8 keeps compiled text in a cache, and two clones of one text
 * would be one function again, feedback and all.
 */
export function cloneFunction<F extends (...args: never[]) => unknown>(factory: F): F {
  // Compiled in the global scope, so that a factory that is not self-contained fails at once. The
  // source is our own compiled code, never input.
  cloneCount++
  return new Function(`return (${factory.toString()}) // clone ${cloneCount}`)() as F
}
