/** Windows as the suites `windows`, `window-join` and `rescale` describe them. */

import type { ValueState } from '../../src/api/state.ts'
import { valueState } from '../../src/api/state-descriptor.ts'
import type { OperatorSpec } from '../../src/api/transformation.ts'
import type {
  Evictor,
  ProcessWindowFunction,
  Trigger,
  WindowAssigner,
} from '../../src/api/window.ts'
import * as evictors from '../../src/api/windows/evictors.ts'
import { global } from '../../src/api/windows/global-windows.ts'
import { session } from '../../src/api/windows/session-windows.ts'
import { sliding } from '../../src/api/windows/sliding-windows.ts'
import * as triggers from '../../src/api/windows/triggers.ts'
import { tumbling } from '../../src/api/windows/tumbling-windows.ts'
import { type Row, timeRow } from './vectors.ts'

export interface Element {
  readonly key: string
  readonly id: number
  /** The gap of a dynamic session, or the number that deltas are taken of. */
  readonly x: number
}

export type AssignerVector = Readonly<
  | { kind: 'tumbling'; time: 'event' | 'processing'; size: number; offset: number }
  | { kind: 'sliding'; time: 'event' | 'processing'; size: number; slide: number; offset: number }
  | { kind: 'session'; time: 'event' | 'processing'; gap: number | 'dynamic' }
  | { kind: 'global' }
>

export type TriggerVector = Readonly<
  | { kind: 'default' | 'eventTime' | 'processingTime' | 'endOfStream' }
  | { kind: 'count'; n: number }
  | { kind: 'purging'; of: TriggerVector }
  | { kind: 'continuousEventTime' | 'continuousProcessingTime'; interval: number }
  | { kind: 'delta'; threshold: number }
  | {
      kind: 'processingTimeout'
      of: TriggerVector
      timeout: number
      resetOnElement: boolean
      clearOnTimeout: boolean
    }
>

export type EvictorVector = Readonly<
  { after: boolean } & (
    | { kind: 'count'; n: number }
    | { kind: 'time'; ms: number }
    | { kind: 'delta'; threshold: number }
  )
>

export interface WindowVector {
  readonly assigner: AssignerVector
  readonly trigger: TriggerVector
  readonly lateness?: number
  readonly evictor?: EvictorVector | null
  readonly fn: 'list' | 'sum' | 'list-state'
}

export function makeAssigner(vector: AssignerVector): WindowAssigner<unknown> {
  switch (vector.kind) {
    case 'tumbling':
      return tumbling(vector.size, { time: vector.time, offset: vector.offset })
    case 'sliding':
      return sliding(vector.size, vector.slide, { time: vector.time, offset: vector.offset })
    case 'session': {
      const { gap, time } = vector
      const assigner =
        gap === 'dynamic' ? session<Element>(({ x }) => x, { time }) : session(gap, { time })
      return assigner as WindowAssigner<unknown>
    }
    case 'global':
      return global()
  }
}

function makeTrigger(vector: TriggerVector, assigner: WindowAssigner<unknown>): Trigger<unknown> {
  switch (vector.kind) {
    case 'default':
      return assigner.defaultTrigger()
    case 'eventTime':
      return triggers.eventTime()
    case 'processingTime':
      return triggers.processingTime()
    case 'endOfStream':
      return triggers.endOfStream()
    case 'count':
      return triggers.count(vector.n) as Trigger<unknown>
    case 'purging':
      return triggers.purging(makeTrigger(vector.of, assigner))
    case 'continuousEventTime':
      return triggers.continuousEventTime(vector.interval) as Trigger<unknown>
    case 'continuousProcessingTime':
      return triggers.continuousProcessingTime(vector.interval) as Trigger<unknown>
    case 'delta': {
      const delta = (reference: Element, element: Element): number => element.x - reference.x
      return triggers.delta(vector.threshold, delta) as unknown as Trigger<unknown>
    }
    case 'processingTimeout': {
      const { of, timeout, resetOnElement, clearOnTimeout } = vector
      const inner = makeTrigger(of, assigner)
      return triggers.processingTimeout(inner, timeout, { resetOnElement, clearOnTimeout })
    }
  }
}

function makeEvictor(vector: EvictorVector | null | undefined): Evictor<unknown> | undefined {
  if (vector === undefined || vector === null) return undefined
  const { after } = vector
  switch (vector.kind) {
    case 'count':
      return evictors.count(vector.n, { after })
    case 'time':
      return evictors.time(vector.ms, { after })
    case 'delta': {
      const delta = (element: Element, last: Element): number => last.x - element.x
      return evictors.delta(vector.threshold, delta, { after }) as Evictor<unknown>
    }
  }
}

/** The time of the timer that is firing, `null` while an element is processed. */
export interface Firing {
  timer: number | null
}

/**
 * Tells which timer made a result. A plain time trigger fires at the window's end only, unless an
 * element makes it fire, and needs no wrapping: so the windows run as they do in jobs.
 */
function recording(trigger: Trigger<unknown>, firing: Firing): Trigger<unknown> {
  return {
    ...trigger,
    onEventTime(time, context) {
      firing.timer = time
      return trigger.onEventTime(time, context)
    },
    onProcessingTime(time, context) {
      firing.timer = time
      return trigger.onProcessingTime(time, context)
    },
  }
}

const endsOnly: ReadonlySet<string> = new Set(['default', 'eventTime', 'processingTime'])

/** Whether the clock alone makes the windows fire, never an element. */
function isByClock({ assigner, trigger }: WindowVector): boolean {
  if (trigger.kind === 'processingTime') return true
  return trigger.kind === 'default' && assigner.kind !== 'global' && assigner.time === 'processing'
}

interface Sum {
  readonly count: number
  readonly sum: number
}

const sumOfIds = {
  create: (): Sum => ({ count: 0, sum: 0 }),
  add: ({ id }: Element, { count, sum }: Sum): Sum => ({ count: count + 1, sum: sum + id }),
  result: ({ count, sum }: Sum): readonly [number, number] => [count, sum],
  merge: (a: Sum, b: Sum): Sum => ({ count: a.count + b.count, sum: a.sum + b.sum }),
}

type WindowFunction = ProcessWindowFunction<unknown, unknown, string, never, never>

/** Emits rows of the vectors: without their first two items, which the runner knows. */
function windowFunction(vector: WindowVector, firing: Firing): WindowFunction {
  const isSession = vector.assigner.kind === 'session'
  const endOnly = endsOnly.has(vector.trigger.kind)
  const byClock = isByClock(vector)
  return {
    ...(vector.fn === 'list-state'
      ? { windowState: { n: valueState<number>() }, globalState: { g: valueState<number>() } }
      : {}),
    process(key, elements, context, out) {
      const { start, end } = context.window
      const isGlobal = end === Number.POSITIVE_INFINITY
      let content: unknown = elements[0]
      if (vector.fn !== 'sum') {
        const ids = (elements as Element[]).map(({ id }) => id)
        content = isSession ? ids.toSorted((a, b) => a - b) : ids
      }
      if (vector.fn === 'list-state') {
        const { n } = context.windowState as {
          n: ValueState<number>
        }
        const { g } = context.globalState as {
          g: ValueState<number>
        }
        n.update((n.value() ?? 0) + 1)
        g.update((g.value() ?? 0) + 1)
        content = [content, n.value(), g.value()]
      }
      const byElement = firing.timer === null && !byClock
      const timer = byElement ? null : endOnly ? end - 1 : firing.timer
      out.collect([
        key,
        isGlobal ? null : start,
        isGlobal ? null : end,
        content,
        timeRow(context.watermark),
        timer === null ? null : timeRow(timer),
      ])
    },
  } as WindowFunction
}

/** The operator of a vector; `firing.timer` must be null while an element is processed. */
export function makeWindowSpec(
  vector: WindowVector,
  firing: Firing,
): OperatorSpec & { kind: 'window' } {
  const assigner = makeAssigner(vector.assigner)
  const trigger = makeTrigger(vector.trigger, assigner)
  const chosen = endsOnly.has(vector.trigger.kind) ? trigger : recording(trigger, firing)
  return {
    kind: 'window',
    window: {
      assigner,
      // Left out where the assigner's own is meant, as a job would.
      trigger: vector.trigger.kind === 'default' ? undefined : chosen,
      evictor: makeEvictor(vector.evictor),
      allowedLatenessMs: vector.lateness ?? 0,
      lateTag: { id: 'late', type: undefined },
    },
    contents:
      vector.fn === 'sum'
        ? { kind: 'aggregate', aggregate: sumOfIds as never }
        : { kind: 'elements' },
    fn: windowFunction(vector, firing) as never,
  }
}

export function elementOf([, key, , id, x]: Row): Element {
  return { key: key as string, id: id as number, x: (x ?? 0) as number }
}
