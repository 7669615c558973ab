/**
 * Runs the actions one after the other, each when the one before is done. Stays synchronous as long
 * as they do: only the first one that gives a promise makes the rest wait.
 */
export function inSequence(actions: Iterable<() => void | Promise<void>>): void | Promise<void> {
  const rest = actions[Symbol.iterator]()
  const next = (): void | Promise<void> => {
    for (let action = rest.next(); action.done !== true; action = rest.next()) {
      const result = action.value()
      if (result instanceof Promise) return result.then(next)
    }
  }
  return next()
}
