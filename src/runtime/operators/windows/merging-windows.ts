/**
 * The merging windows (sessions) of one key, kept in keyed state as one flat list.
 *
 * A session's contents stay under the namespace they began with while its bounds grow; what hangs
 * on the bounds (trigger state, timers) gets a fresh namespace with each merge. So a merge moves
 * as little as it can, and what the trigger registers for the result is never taken for a
 * member's.
 *
 * Invariants
 *  M1  The sessions of a key neither overlap nor touch.
 *  M2  No two live sessions of a key share a namespace.
 */
import { valueState } from '../../../api/state-descriptor.ts'
import type { Window } from '../../../api/window.ts'
import { typeOf } from '../../../schema/type-of.ts'
import { z } from '../../../schema/z.ts'
import type { InternalValueState, KeyedStateBackend } from '../../../state/keyed-state-backend.ts'

export interface Session extends Window {
  /** Where the contents are. */
  readonly contents: number
  /** Where trigger state and timers are. */
  readonly id: number
}

export interface Merge {
  readonly result: Session
  /** The sessions that become one with the result; empty when it is as it was, or all new. */
  readonly members: readonly Session[]
}

interface Stored {
  readonly nextId: number
  readonly sessions: readonly Session[]
}

const sessionType = z.object({
  start: z.number(),
  end: z.number(),
  contents: z.int(),
  id: z.int(),
})
const storedType = typeOf(z.object({ nextId: z.int(), sessions: z.array(sessionType) }))
const nothing: Stored = { nextId: 1, sessions: [] }

export class MergingWindows {
  readonly #state: InternalValueState<Stored>

  constructor(backend: KeyedStateBackend) {
    this.#state = backend.state(
      '$sessions',
      valueState<Stored>(storedType),
    ) as InternalValueState<Stored>
  }

  /** What `window` becomes with the current key's sessions. Changes nothing: see `apply`. */
  plan(window: Window): Merge {
    const { nextId, sessions } = this.#state.value() ?? nothing
    const members = sessions.filter(one => one.start <= window.end && window.start <= one.end)
    const [first] = members
    if (first === undefined) {
      const { start, end } = window
      return { result: { start, end, contents: nextId, id: nextId }, members }
    }
    const start = members.reduce((least, one) => Math.min(least, one.start), window.start)
    const end = members.reduce((most, one) => Math.max(most, one.end), window.end)
    if (members.length === 1 && start === first.start && end === first.end) {
      return { result: first, members: [] }
    }
    return { result: { start, end, contents: first.contents, id: nextId }, members }
  }

  /** Stores a planned merge. */
  apply({ result, members }: Merge): void {
    const { nextId, sessions } = this.#state.value() ?? nothing
    if (result.id < nextId) return
    const others = sessions.filter(one => !members.some(member => member.id === one.id))
    this.#state.update({ nextId: nextId + 1, sessions: [...others, result] })
  }

  /** The session whose timers are under this namespace. */
  find(id: number): Session | undefined {
    return this.#state.value()?.sessions.find(one => one.id === id)
  }

  /** Forgets a session; the last one takes the whole entry along. */
  retire(session: Session): void {
    const { nextId, sessions } = this.#state.value() ?? nothing
    const left = sessions.filter(one => one.id !== session.id)
    if (left.length === 0) this.#state.clear()
    else this.#state.update({ nextId, sessions: left })
  }
}
