/** The rules of the triggers, read off `conformance/README.md`: no state but what the window has. */
import type { AssignerVector, TriggerVector } from '../window-vectors.ts'
import type { Domain } from './timer-set.ts'

/** The window that a trigger is asked about. */
export interface Ask {
  /** Its greatest timestamp. */
  readonly max: number
  readonly watermark: number
  readonly clock: number
  /** The trigger's numbers in this window. */
  readonly state: Map<string, number>
  register(domain: Domain, time: number): void
  remove(domain: Domain, time: number): void
}

export interface Verdict {
  readonly fire: boolean
  readonly purge: boolean
}

export interface TriggerModel {
  onElement(ask: Ask, ts: number, x: number): Verdict
  onTimer(ask: Ask, domain: Domain, time: number): Verdict
  /** `members` are the numbers of the windows that were merged into the one asked about. */
  onMerge(ask: Ask, members: readonly Map<string, number>[]): void
  clear(ask: Ask): void
}

const wait: Verdict = { fire: false, purge: false }
const fire: Verdict = { fire: true, purge: false }
const never: TriggerModel = {
  onElement: () => wait,
  onTimer: () => wait,
  onMerge: () => {},
  clear: () => {},
}

export function makeTriggerModel(trigger: TriggerVector, assigner: AssignerVector): TriggerModel {
  switch (trigger.kind) {
    case 'default':
      if (assigner.kind === 'global') return never
      return assigner.time === 'event' ? eventTime : processingTime
    case 'eventTime':
      return eventTime
    case 'processingTime':
      return processingTime
    case 'endOfStream':
      return endOfStream
    case 'count':
      return count(trigger.n)
    case 'delta':
      return delta(trigger.threshold)
    case 'continuousEventTime':
      return continuous('E', trigger.interval)
    case 'continuousProcessingTime':
      return continuous('P', trigger.interval)
    case 'purging':
      return purging(makeTriggerModel(trigger.of, assigner))
    case 'processingTimeout':
      return processingTimeout(trigger, makeTriggerModel(trigger.of, assigner))
  }
}

const eventTime: TriggerModel = {
  onElement(ask) {
    if (ask.max <= ask.watermark) return fire
    ask.register('E', ask.max)
    return wait
  },
  onTimer: (ask, domain, time) => (domain === 'E' && time === ask.max ? fire : wait),
  onMerge(ask) {
    if (ask.max > ask.watermark) ask.register('E', ask.max)
  },
  clear: ask => ask.remove('E', ask.max),
}

const processingTime: TriggerModel = {
  onElement(ask) {
    ask.register('P', ask.max)
    return wait
  },
  onTimer: (_ask, domain) => (domain === 'P' ? fire : wait),
  onMerge(ask) {
    if (ask.max > ask.clock) ask.register('P', ask.max)
  },
  clear: ask => ask.remove('P', ask.max),
}

const endOfStream: TriggerModel = {
  onElement(ask) {
    ask.register('E', ask.max)
    return wait
  },
  onTimer: (ask, domain, time) =>
    domain === 'E' && time === ask.max ? { fire: true, purge: true } : wait,
  onMerge: ask => ask.register('E', ask.max),
  clear: ask => ask.remove('E', ask.max),
}

function count(n: number): TriggerModel {
  return {
    onElement({ state }) {
      const counted = (state.get('count') ?? 0) + 1
      if (counted < n) state.set('count', counted)
      else state.delete('count')
      return counted < n ? wait : fire
    },
    onTimer: () => wait,
    onMerge({ state }, members) {
      const all = members.reduce((sum, member) => sum + (member.get('count') ?? 0), 0)
      if (all > 0) state.set('count', (state.get('count') ?? 0) + all)
    },
    clear: ({ state }) => void state.delete('count'),
  }
}

function delta(threshold: number): TriggerModel {
  return {
    ...never,
    onElement({ state }, _ts, x) {
      const reference = state.get('reference')
      const fires = reference !== undefined && x - reference > threshold
      if (reference === undefined || fires) state.set('reference', x)
      return fires ? fire : wait
    },
    clear: ({ state }) => void state.delete('reference'),
  }
}

function continuous(domain: Domain, interval: number): TriggerModel {
  const setNext = (ask: Ask, after: number): void => {
    const next = Math.min(after + interval, ask.max)
    ask.state.set('next', next)
    ask.register(domain, next)
  }
  return {
    onElement(ask, ts) {
      if (domain === 'E') {
        if (ask.max <= ask.watermark) return fire
        ask.register('E', ask.max)
      }
      const from = domain === 'E' ? ts : ask.clock
      if (!ask.state.has('next')) setNext(ask, from - (from % interval))
      return wait
    },
    onTimer(ask, of, time) {
      if (of !== domain) return wait
      if (domain === 'E' && time === ask.max) return fire
      if (ask.state.get('next') !== time) return wait
      // By the clock the pending time is not forgotten at the window's end.
      if (time < ask.max) setNext(ask, time)
      return fire
    },
    onMerge(ask, members) {
      const times = [ask.state, ...members].flatMap(state => state.get('next') ?? [])
      if (times.length === 0) return
      ask.state.set('next', Math.min(...times))
      ask.register(domain, Math.min(...times))
    },
    clear(ask) {
      const next = ask.state.get('next')
      if (next !== undefined) ask.remove(domain, next)
      ask.state.delete('next')
    },
  }
}

function purging(inner: TriggerModel): TriggerModel {
  const purged = (verdict: Verdict): Verdict => ({ fire: verdict.fire, purge: verdict.fire })
  return {
    ...inner,
    onElement: (ask, ts, x) => purged(inner.onElement(ask, ts, x)),
    onTimer: (ask, domain, time) => purged(inner.onTimer(ask, domain, time)),
  }
}

type TimeoutVector = Extract<TriggerVector, { readonly kind: 'processingTimeout' }>

function processingTimeout(options: TimeoutVector, inner: TriggerModel): TriggerModel {
  const { timeout, resetOnElement, clearOnTimeout } = options
  const drop = (ask: Ask): void => {
    const pending = ask.state.get('timeout')
    if (pending !== undefined) ask.remove('P', pending)
    ask.state.delete('timeout')
  }
  const clear = (ask: Ask): void => {
    drop(ask)
    inner.clear(ask)
  }
  return {
    onElement(ask, ts, x) {
      const verdict = inner.onElement(ask, ts, x)
      if (verdict.fire) {
        clear(ask)
        return verdict
      }
      if (resetOnElement) drop(ask)
      if (!ask.state.has('timeout')) {
        ask.state.set('timeout', ask.clock + timeout)
        ask.register('P', ask.clock + timeout)
      }
      return verdict
    },
    onTimer(ask, domain, time) {
      const { purge } = inner.onTimer(ask, domain, time)
      if (clearOnTimeout) clear(ask)
      return { fire: true, purge }
    },
    onMerge: () => {
      throw new Error('a timeout trigger does not merge')
    },
    clear,
  }
}
