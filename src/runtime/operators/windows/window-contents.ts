/**
 * What a window holds, and what it makes of it when it fires. The window operators know when; the
 * contents know what.
 */

import { aggregatingState, listState, reducingState } from '../../../api/state-descriptor.ts'
import type { WindowFunctionSpec } from '../../../api/transformation.ts'
import type { Evictor, TimestampedValue, Window } from '../../../api/window.ts'
import { generalType } from '../../../schema/general-type.ts'
import { timestampedType } from '../../../schema/timestamped-type.ts'
import type {
  InternalAggregatingState,
  InternalListState,
  InternalReducingState,
  KeyedStateBackend,
} from '../../../state/keyed-state-backend.ts'
import type { OperatorContext } from '../../stream-operator.ts'

/** Takes the contents of a firing window; the namespace finds the window's own state. */
export type FireWindow = (window: Window, namespace: number, elements: readonly unknown[]) => void

/** Works on the current key. */
export interface WindowContents {
  /** Chooses the window that the next calls are about. */
  setNamespace(namespace: number): void
  add(value: unknown, timestamp: number, input: number): void
  /** Hands the contents to the window function. Does nothing where there are none. */
  fire(window: Window, namespace: number): void
  clear(): void
  /** Moves the contents of `sources` into `target`. */
  merge(target: number, sources: readonly number[]): void
}

export interface ContentsOptions {
  readonly contents: WindowFunctionSpec
  readonly evictor: Evictor<unknown> | undefined
  readonly context: OperatorContext
  readonly backend: KeyedStateBackend
  readonly fire: FireWindow
}

export const CONTENTS = '$contents'

export function makeWindowContents(options: ContentsOptions): WindowContents {
  const { contents, evictor } = options
  if (evictor !== undefined) return new EvictingContents(options, evictor)
  return contents.kind === 'elements'
    ? new ElementContents(options)
    : new CombinedContents(options, contents)
}

type Combining = Exclude<WindowFunctionSpec, { readonly kind: 'elements' }>
type CombiningState =
  | InternalReducingState<unknown>
  | InternalAggregatingState<unknown, unknown, unknown>

/** One accumulator a window. */
class CombinedContents implements WindowContents {
  readonly #state: CombiningState
  readonly #fire: FireWindow

  constructor({ context, backend, fire }: ContentsOptions, contents: Combining) {
    this.#fire = fire
    this.#state =
      contents.kind === 'reduce'
        ? backend.state(CONTENTS, reducingState(contents.reduce, context.inputTypes[0]))
        : backend.state(CONTENTS, aggregatingState(contents.aggregate))
  }

  setNamespace(namespace: number): void {
    this.#state.setNamespace(namespace)
  }

  add(value: unknown): void {
    this.#state.add(value)
  }

  fire(window: Window, namespace: number): void {
    const result = this.#state.get()
    if (result !== undefined) this.#fire(window, namespace, [result])
  }

  clear(): void {
    this.#state.clear()
  }

  merge(target: number, sources: readonly number[]): void {
    this.#state.mergeNamespaces(target, sources)
  }
}

/** All elements in the order of their arrival. */
class ElementContents implements WindowContents {
  readonly #state: InternalListState<unknown>
  readonly #fire: FireWindow

  constructor({ context, backend, fire }: ContentsOptions) {
    this.#fire = fire
    this.#state = backend.state(CONTENTS, listState(context.inputTypes[0]))
  }

  setNamespace(namespace: number): void {
    this.#state.setNamespace(namespace)
  }

  add(value: unknown): void {
    this.#state.add(value)
  }

  fire(window: Window, namespace: number): void {
    const elements = this.#state.get()
    if (elements.length > 0) this.#fire(window, namespace, elements)
  }

  clear(): void {
    this.#state.clear()
  }

  merge(target: number, sources: readonly number[]): void {
    this.#state.mergeNamespaces(target, sources)
  }
}

/** All elements with their timestamps; an evictor removes some when the window fires. */
class EvictingContents implements WindowContents {
  readonly #state: InternalListState<TimestampedValue<unknown>>
  readonly #evictor: Evictor<unknown>
  readonly #contents: WindowFunctionSpec
  readonly #fire: FireWindow

  constructor({ context, backend, contents, fire }: ContentsOptions, evictor: Evictor<unknown>) {
    const type = timestampedType(context.inputTypes[0] ?? generalType)
    this.#state = backend.state(CONTENTS, listState(type)) as InternalListState<
      TimestampedValue<unknown>
    >
    this.#evictor = evictor
    this.#contents = contents
    this.#fire = fire
  }

  setNamespace(namespace: number): void {
    this.#state.setNamespace(namespace)
  }

  add(value: unknown, timestamp: number): void {
    this.#state.add({ value, timestamp })
  }

  /** An evictor that takes all elements still lets the function run, as in Flink. */
  fire(window: Window, namespace: number): void {
    const all = this.#state.get()
    if (all.length === 0) return
    const seen = this.#evictor.evictBefore?.(all, window) ?? all
    this.#call(window, namespace, seen)
    const left = this.#evictor.evictAfter?.(seen, window) ?? seen
    // The function may have worked on other namespaces of the contents' key only: the handle
    // stands.
    if (left.length === 0) this.#state.clear()
    else if (left.length < all.length) this.#state.update(left)
  }

  clear(): void {
    this.#state.clear()
  }

  merge(target: number, sources: readonly number[]): void {
    this.#state.mergeNamespaces(target, sources)
  }

  #call(window: Window, namespace: number, elements: readonly TimestampedValue<unknown>[]): void {
    const values = elements.map(element => element.value)
    const contents = this.#contents
    switch (contents.kind) {
      case 'elements':
        this.#fire(window, namespace, values)
        return
      case 'reduce':
        // Nothing reduces to nothing: there is no value that the function could be given.
        if (values.length > 0)
          this.#fire(window, namespace, [values.reduce((a, b) => contents.reduce(a, b))])
        return
      case 'aggregate': {
        const { aggregate } = contents
        let accumulator = aggregate.create()
        for (const value of values) accumulator = aggregate.add(value, accumulator)
        this.#fire(window, namespace, [aggregate.result(accumulator)])
      }
    }
  }
}
