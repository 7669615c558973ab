/** From an operator's spec to what its windows hold and what they do when they fire. */
import type { OperatorSpec } from '../../../api/transformation.ts'
import type { Window } from '../../../api/window.ts'
import type { KeyedStateBackend } from '../../../state/keyed-state-backend.ts'
import type { InternalTimerService } from '../../internal-timer-service.ts'
import type { OperatorContext } from '../../stream-operator.ts'
import type { OutputCollector } from '../output-collector.ts'
import { JoinContents } from './join-contents.ts'
import { type FireWindow, makeWindowContents, type WindowContents } from './window-contents.ts'
import { type AnyWindowFunction, WindowFunctionCaller } from './window-function-caller.ts'

export type WindowOperatorSpec = Extract<
  OperatorSpec,
  { readonly kind: 'window' | 'window-join' | 'window-co-group' }
>

export interface WindowBodyParts {
  readonly context: OperatorContext
  readonly backend: KeyedStateBackend
  readonly timers: Pick<InternalTimerService, 'watermark'>
  readonly collector: OutputCollector
}

export interface WindowBody {
  readonly contents: WindowContents
  /** A window is over: the function's own state of it goes. */
  release(window: Window, namespace: number): void
  open(): void | Promise<void>
  close(): void | Promise<void>
}

export function makeWindowBody(spec: WindowOperatorSpec, parts: WindowBodyParts): WindowBody {
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
export function makeFire(fn: AnyWindowFunction | undefined, parts: WindowBodyParts): WindowFire {
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
