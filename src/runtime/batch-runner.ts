/**
 * The innermost loop: pushes the records of a batch into the chain, one by one, until something
 * says stop. Cloned for each input of each task, so that the call into the chain is its own.
 */
import { cloneFunction } from '../common/clone-function.ts'
import type { LookAhead } from './look-ahead.ts'
import type { Push } from './stream-operator.ts'

/**
 * Pushes `items[from]` (a value), `items[from + 1]` (its timestamp), and so on up to `end`; gives
 * the place of the first record not pushed.
 */
export type BatchRunner = (items: readonly unknown[], from: number, end: number) => number

export interface RunnerParts {
  readonly push: Push
  /** Called before the records are pushed. */
  readonly lookAhead?: LookAhead | undefined
  readonly room: { readonly fullChannels: number }
  readonly blockables: readonly { readonly blocked: boolean }[]
}

export function makeBatchRunner(parts: RunnerParts): BatchRunner {
  const run = cloneFunction(batchRunnerFactory)(parts)
  const { lookAhead } = parts
  if (lookAhead === undefined) return run
  return (items, from, end) => {
    lookAhead(items, from, end)
    return run(items, from, end)
  }
}

/** Self-contained: see `cloneFunction`. At least one record is pushed. */
function batchRunnerFactory({ push, room, blockables }: RunnerParts): BatchRunner {
  const [first] = blockables
  if (first === undefined) {
    return (items, from, end) => {
      let at = from
      do {
        push(items[at], items[at + 1] as number)
        at += 2
      } while (at < end && room.fullChannels === 0)
      return at
    }
  }
  if (blockables.length === 1) {
    return (items, from, end) => {
      let at = from
      do {
        push(items[at], items[at + 1] as number)
        at += 2
      } while (at < end && room.fullChannels === 0 && !first.blocked)
      return at
    }
  }
  const free = (): boolean => blockables.every(one => !one.blocked)
  return (items, from, end) => {
    let at = from
    do {
      push(items[at], items[at + 1] as number)
      at += 2
    } while (at < end && room.fullChannels === 0 && free())
    return at
  }
}
