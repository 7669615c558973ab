/** Over all that may happen, far or deep; and what comes of a world that is left in peace. */
import { assert } from '../../../src/common/assert.ts'
import type { Random } from '../../../src/common/random.ts'
import { type Event, eventsIn } from './upgrade-events.ts'
import { jumped, type Model, type World } from './upgrade-world.ts'

export interface Explored {
  readonly states: number
  /** Nothing is left to explore. */
  readonly isWhole: boolean
  /** Phases that were seen. */
  readonly phases: ReadonlySet<string>
}

interface Node {
  readonly world: World
  readonly before: Node | undefined
  readonly event: string
}

export interface ExploreOptions {
  readonly model: Model
  readonly first: World
  readonly statesMax: number
  /** Every so many states one is left in peace, and must come to rest. */
  readonly settleEvery: number
  /** Goes on from any world that was seen; absent: from the oldest, so that the way is short. */
  readonly random?: Random
}

/** Throws what does not hold, with the way that led there. */
export function explore(options: ExploreOptions): Explored {
  const { model, first, statesMax, settleEvery, random } = options
  const seen = new Set([digest(first)])
  const phases = new Set<string>()
  const queue: Node[] = [{ world: first, before: undefined, event: 'the job runs' }]
  let at = 0
  for (; at < queue.length && seen.size < statesMax; at++) {
    if (random !== undefined) swap(queue, at, at + random.int(queue.length - at))
    const node = queue[at] as Node
    // What was looked at is of no use any more but for the way that led to what follows.
    const { world } = node
    phases.add(world.status.upgrade?.phase ?? world.status.phase ?? '')
    try {
      if (at % settleEvery === 0) settle(model, world)
      for (const { name, next } of eventsIn(model, world)) {
        const key = digest(next)
        if (seen.has(key)) continue
        seen.add(key)
        queue.push({ world: next, before: node, event: name })
      }
    } catch (error) {
      throw new Error(`${String(error)}\n${wayTo(node)}`, { cause: error })
    }
  }
  return { states: seen.size, isWhole: at === queue.length, phases }
}

function swap(queue: Node[], one: number, other: number): void {
  const [a, b] = [queue[one] as Node, queue[other] as Node]
  queue[one] = b
  queue[other] = a
}

function wayTo(node: Node): string {
  const lines: string[] = []
  for (let one: Node | undefined = node; one !== undefined; one = one.before) {
    const { status, pods } = one.world
    const all = pods.map(pod => `${pod.role[0]}${pod.epoch}-${pod.attempt}:${pod.state}`)
    const phase = status.upgrade === undefined ? '' : ` ${JSON.stringify(status.upgrade)}`
    lines.unshift(`${one.event} => ${status.phase}${phase} [${all.join(' ')}]`)
  }
  return lines.join('\n')
}

const STEPS_MAX = 400

/** No fault and no edit any more: it comes to rest, and that is what was asked for. */
export function settle(model: Model, from: World): World {
  let world: World = { ...from, edits: 0, faults: 0, jumps: 0, lates: 0 }
  const trail: string[] = []
  let isOver = false
  for (let step = 0; step < STEPS_MAX; step++) {
    const before = digest(world)
    const events = eventsIn(model, world)
    const pass =
      events.filter(one => one.name.startsWith('pass,')).at(-1) ??
      events.filter(one => one.name.startsWith('pass')).at(-1)
    const others = events.filter(one => isFair(one, world))
    for (const one of [pass, ...others]) {
      if (one === undefined || digest(one.next) === digest(world)) continue
      trail.push(`${one.name} => ${one.next.status.phase} ${one.next.status.upgrade?.phase ?? ''}`)
      world = one.next
      break
    }
    if (digest(world) !== before) {
      isOver = false
      continue
    }
    if (isOver || world.status.upgrade === undefined) return rested(model, world, trail)
    world = jumped(world)
    trail.push('time passes')
    isOver = true
  }
  throw new Error(`it comes to no rest\n${trail.slice(-40).join('\n')}`)
}

function isFair({ name }: Event, { status }: World): boolean {
  // What has proved itself and falls over ever after comes to no rest by itself.
  if (status.revision?.stable === 'B' && name.endsWith('crashes')) return false
  return !/^pass|is lost|the stop fails|dies/.test(name)
}

function rested(model: Model, world: World, trail: readonly string[]): World {
  const { status, rests } = world
  const tell = (): string => `${JSON.stringify(status)}\n${trail.slice(-40).join('\n')}`
  assert(status.upgrade === undefined, `U8: an upgrade comes to its end: ${tell()}`)
  if (status.phase === 'Failed') {
    assert(status.refused !== undefined || model.planFlaw === 'refuses', `it says why: ${tell()}`)
    return world
  }
  assert((status.phase === 'Suspended') === rests, `it rests where it is to rest: ${tell()}`)
  if (rests) return world
  const isWanted = status.revision?.current === world.edit
  const isRefused = status.refused?.revision === world.edit
  assert(isWanted || isRefused, `it runs as it is to run, or says why not: ${tell()}`)
  return world
}

/** Taken once: a look at a global costs dearly in the sandbox of a test. */
const { imul } = Math

/** 53 bits: two of a million worlds share one once in ten thousand runs. */
export function digest(world: World): number {
  const text = JSON.stringify(world)
  let low = 0xdeadbeef
  let high = 0x41c6ce57
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    low = imul(low ^ unit, 2_654_435_761)
    high = imul(high ^ unit, 1_597_334_677)
  }
  low = imul(low ^ (low >>> 16), 2_246_822_507) ^ imul(high ^ (high >>> 13), 3_266_489_909)
  high = imul(high ^ (high >>> 16), 2_246_822_507) ^ imul(low ^ (low >>> 13), 3_266_489_909)
  return 4_294_967_296 * (2_097_151 & high) + (low >>> 0)
}
