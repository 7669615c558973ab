/** From an operator's spec to what its windows hold and what they do when they fire. */
import type { Window } from '../../../api/window.ts'
import { JoinContents } from './join-contents.ts'
import { type FireWindow, makeWindowContents, type WindowContents } from './window-contents.ts'
import { type AnyWindowFunction, WindowFunctionCaller } from './window-function-caller.ts'
import type { WindowOperatorSpec, WindowParts } from './window-operator-spec.ts'

export interface WindowBody {
  readonly contents: WindowContents
  /** A window is over: the function's own state of it goes. */
  release(window: Window, namespace: number): void
  open(): void | Promise<void>
  close(): void | Promise<void>
}

export function makeWindowBody(spec: WindowOperatorSpec, parts: WindowParts): WindowBody {
  if (spec.kind !== 'window') {
    const contents = new JoinContents(spec, parts)
    return { contents, release: () => {}, open: () => {}, close: () => {} }
  }
  const { fire, caller } = makeFire(spec.fn, parts)
  const { context, backend } = parts
  const { evictor } = spec.window
  return {
    contents: makeWindowContents({ contents: spec.contents, evictor, context, backend, fire }),
    release: (window, namespace) => caller?.clear(window, namespace),
    open: () => spec.fn?.open?.(context.runtime),
    close: () => spec.fn?.close?.(),
  }
}

export interface WindowFire {
  readonly fire: FireWindow
  readonly caller: WindowFunctionCaller | undefined
}

/** Without a function the one combined value is the result. */
export function makeFire(fn: AnyWindowFunction | undefined, parts: WindowParts): WindowFire {
  const { collector } = parts
  if (fn === undefined) {
    const fire: FireWindow = (window, _namespace, elements) => {
      collector.timestamp = window.end - 1
      for (const element of elements) collector.collect(element)
    }
    return { fire, caller: undefined }
  }
  const caller = new WindowFunctionCaller({ ...parts, fn })
  return {
    fire: (window, namespace, elements) => caller.process(window, namespace, elements),
    caller,
  }
}
