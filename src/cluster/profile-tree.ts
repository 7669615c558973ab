/** Turns what V8's sampling profiler recorded into times of functions. Pure. */
import type { CodePlace, FlameNode, HotFunction } from './process-inspector.ts'

/** As the inspector protocol gives it. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[]
  /** Ids of the nodes that were found running. */
  readonly samples?: readonly number[] | undefined
  /** µs from each sample to the next. */
  readonly timeDeltas?: readonly number[] | undefined
}

export interface ProfileNode {
  readonly id: number
  readonly callFrame: {
    readonly functionName: string
    readonly url: string
    /** From 0. */
    readonly lineNumber: number
  }
  readonly children?: readonly number[] | undefined
}

const HOTTEST_MAX = 20
/** Of the whole: less is not worth a line. */
const SHARE_MIN = 0.002
/** Deeper calls count for the function above them. */
const DEPTH_MAX = 64

/** The calls as a tree. */
export function flameTree(profile: CpuProfile): FlameNode {
  const selfMs = selfTimes(profile)
  const byId = new Map(profile.nodes.map(node => [node.id, node]))
  const build = (node: ProfileNode, depth: number): FlameNode => {
    const called = (node.children ?? []).flatMap(id => byId.get(id) ?? [])
    const children = called.map(child => build(child, depth + 1))
    const own = selfMs.get(node.id) ?? 0
    const totalMs = children.reduce((sum, child) => sum + child.totalMs, own)
    const shown = depth < DEPTH_MAX ? children.toSorted((a, b) => b.totalMs - a.totalMs) : []
    return { ...placeOf(node), selfMs: own, totalMs, children: shown }
  }
  const [root] = profile.nodes
  if (root === undefined) {
    return { name: '(root)', file: '', line: 0, selfMs: 0, totalMs: 0, children: [] }
  }
  const whole = build(root, 0)
  return prune(whole, whole.totalMs * SHARE_MIN)
}

/** Functions by their own time, over all places they are called from. */
export function hottestFunctions(profile: CpuProfile): readonly HotFunction[] {
  const selfMs = selfTimes(profile)
  const found = new Map<string, CodePlace & { selfMs: number }>()
  let totalMs = 0
  for (const node of profile.nodes) {
    const own = selfMs.get(node.id) ?? 0
    totalMs += own
    const place = placeOf(node)
    const key = `${place.name} ${place.file}:${place.line}`
    const known = found.get(key) ?? { ...place, selfMs: 0 }
    known.selfMs += own
    found.set(key, known)
  }
  return [...found.values()]
    .filter(({ name, selfMs: own }) => own > 0 && name !== '(root)')
    .toSorted((a, b) => b.selfMs - a.selfMs)
    .slice(0, HOTTEST_MAX)
    .map(one => ({ ...one, share: totalMs === 0 ? 0 : one.selfMs / totalMs }))
}

/** Each sample stands for the time until the next one. */
function selfTimes({ samples = [], timeDeltas = [] }: CpuProfile): ReadonlyMap<number, number> {
  const times = new Map<number, number>()
  samples.forEach((id, index) => {
    const ms = Math.max(0, timeDeltas[index + 1] ?? 0) / 1_000
    times.set(id, (times.get(id) ?? 0) + ms)
  })
  return times
}

function prune(node: FlameNode, leastMs: number): FlameNode {
  const kept = node.children.filter(child => child.totalMs > leastMs)
  return { ...node, children: kept.map(child => prune(child, leastMs)) }
}

function placeOf({ callFrame }: ProfileNode): CodePlace {
  const { functionName, url, lineNumber } = callFrame
  const name = functionName === '' ? '(anonymous)' : functionName
  return { name, file: url.replace(/^file:\/\//, ''), line: url === '' ? 0 : lineNumber + 1 }
}
