/** Windows over two inputs: the elements of both sides, joined or grouped when the window fires. */
import type { CoGroupFunction, JoinFunction } from '../../../api/functions.ts'
import { listState } from '../../../api/state-descriptor.ts'
import type { Window } from '../../../api/window.ts'
import type { InternalListState } from '../../../state/keyed-state-backend.ts'
import type { OutputCollector } from '../output-collector.ts'
import type { WindowContents } from './window-contents.ts'
import type { WindowJoinSpec, WindowParts } from './window-operator-spec.ts'

/** Both sides of one window and key, each in the order of arrival. */
export type EmitGroup = (left: readonly unknown[], right: readonly unknown[]) => void

export function makeEmitGroup(spec: WindowJoinSpec, collector: OutputCollector): EmitGroup {
  return spec.kind === 'window-join' ? emitPairs(spec.fn, collector) : emitGroup(spec.fn, collector)
}

/** Every pair; nothing where a side is empty. */
function emitPairs(join: JoinFunction<unknown, unknown, unknown>, out: OutputCollector): EmitGroup {
  return (left, right) => {
    for (const one of left) {
      for (const other of right) out.collect(join(one, other))
    }
  }
}

function emitGroup(
  fn: CoGroupFunction<unknown, unknown, unknown>,
  out: OutputCollector,
): EmitGroup {
  return (left, right) => fn(left, right, out)
}

/** One list a side. */
export class JoinContents implements WindowContents {
  readonly #sides: readonly [InternalListState<unknown>, InternalListState<unknown>]
  readonly #emit: EmitGroup
  readonly #collector: OutputCollector

  constructor(spec: WindowJoinSpec, { context, backend, collector }: WindowParts) {
    const [left, right] = context.inputTypes
    this.#sides = [
      backend.state('$left', listState(left)),
      backend.state('$right', listState(right)),
    ]
    this.#collector = collector
    this.#emit = makeEmitGroup(spec, collector)
  }

  setNamespace(namespace: number): void {
    this.#sides[0].setNamespace(namespace)
    this.#sides[1].setNamespace(namespace)
  }

  add(value: unknown, _timestamp: number, input: number): void {
    this.#sides[input === 0 ? 0 : 1].add(value)
  }

  fire(window: Window): void {
    const left = this.#sides[0].get()
    const right = this.#sides[1].get()
    if (left.length === 0 && right.length === 0) return
    this.#collector.timestamp = window.end - 1
    this.#emit(left, right)
  }

  clear(): void {
    this.#sides[0].clear()
    this.#sides[1].clear()
  }

  merge(target: number, sources: readonly number[]): void {
    this.#sides[0].mergeNamespaces(target, sources)
    this.#sides[1].mergeNamespaces(target, sources)
  }
}
