/**
 * How windows that do not merge are named in state: a window's contents, trigger state and timers
 * live under one number, its namespace, and a timer that fires leads back to its window.
 */
import { mapState } from '../../../api/state-descriptor.ts'
import type { Window, WindowShape } from '../../../api/window.ts'
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../../../common/timestamps.ts'
import { typeOf } from '../../../schema/type-of.ts'
import { z } from '../../../schema/z.ts'
import type { InternalMapState, KeyedStateBackend } from '../../../state/keyed-state-backend.ts'

export interface WindowSpace {
  /** The number of a window of the current key; made up where it is new. */
  namespaceOf(window: Window): number
  /** The window of a number; `undefined` when the current key has none such. */
  windowOf(namespace: number): Window | undefined
  /** The window is over: its number may be given to another one. */
  release(namespace: number): void
}

export function makeWindowSpace(shape: WindowShape, backend: KeyedStateBackend): WindowSpace {
  switch (shape.kind) {
    case 'tumbling':
    case 'sliding':
      return fixedSizeSpace(shape.sizeMs)
    case 'global':
      return globalSpace
    default:
      return new NumberedSpace(backend)
  }
}

/** Windows of one size: the start says all. */
function fixedSizeSpace(sizeMs: number): WindowSpace {
  return {
    namespaceOf: window => window.start,
    windowOf: namespace => ({ start: namespace, end: namespace + sizeMs }),
    release: () => {},
  }
}

const globalWindow: Window = { start: MIN_TIMESTAMP, end: MAX_TIMESTAMP }

const globalSpace: WindowSpace = {
  namespaceOf: () => 0,
  windowOf: () => globalWindow,
  release: () => {},
}

const int = typeOf(z.int())
const bounds = typeOf(z.object({ start: z.number(), end: z.number() }))

/** Windows of a custom assigner: nothing is known of them, so each key counts its own. */
class NumberedSpace implements WindowSpace {
  readonly #windows: InternalMapState<number, Window>

  constructor(backend: KeyedStateBackend) {
    this.#windows = backend.state(
      '$windows',
      mapState<number, Window>(int, bounds),
    ) as InternalMapState<number, Window>
  }

  namespaceOf(window: Window): number {
    let free = 1
    for (const [namespace, known] of this.#windows.entries()) {
      if (known.start === window.start && known.end === window.end) return namespace
      free = Math.max(free, namespace + 1)
    }
    this.#windows.put(free, { start: window.start, end: window.end })
    return free
  }

  windowOf(namespace: number): Window | undefined {
    return this.#windows.get(namespace)
  }

  release(namespace: number): void {
    this.#windows.remove(namespace)
  }
}
