/**
 * The stream graph: a job's operators as they were written, checked, named and with every edge
 * resolved. Not yet chained.
 *
 * Owns        what a job must fulfil before anything starts; operator ids; parallelism.
 * Leaves out  chains and vertices (`build-job-graph.ts`), advice (`graph-warnings.ts`).
 *
 * Invariants
 *  S1  Nodes stand in topological order.
 *  S2  Every operator with state has a uid of its own, and its id is that uid.
 */

import type { OutputTag } from '../api/functions.ts'
import type { Pipeline } from '../api/job.ts'
import type {
  OperatorSpec,
  Partitioner,
  Transformation,
  TransformationEdge,
} from '../api/transformation.ts'
import { assert, assertDefined } from '../common/assert.ts'
import { defaultMaxParallelism, MAX_PARALLELISM_LIMIT } from '../state/key-groups.ts'
import { graphErrors, type NamedOperator } from './graph-errors.ts'
import { stateReason } from './state-reason.ts'

export interface StreamGraphOptions {
  /** Used where the job has no name of its own. */
  readonly name?: string
  /** Of a restored snapshot, or of the manifest. Default: by the greatest parallelism. */
  readonly maxParallelism?: number
}

export interface StreamGraph {
  readonly name: string
  readonly parallelism: number
  readonly maxParallelism: number
  /** In topological order (S1). */
  readonly nodes: readonly StreamNode[]
  readonly pipeline: Pipeline
}

export interface StreamNode {
  /** The uid; of operators without one `<kind>~<n>`, which no uid can be. */
  readonly operatorId: string
  readonly transformation: Transformation
  readonly parallelism: number
  readonly inputs: readonly StreamEdge[]
}

export interface StreamEdge {
  readonly from: StreamNode
  readonly sideOutput: OutputTag<unknown> | undefined
  readonly input: 0 | 1
  readonly partitioner: Partitioner
}

/** Throws the errors of `graph-errors.ts`. */
export function buildStreamGraph(
  pipeline: Pipeline,
  options: StreamGraphOptions = {},
): StreamGraph {
  const { transformations, parallelism } = pipeline
  const name = pipeline.name ?? options.name ?? 'job'
  if (!transformations.some(t => t.operator.kind === 'source')) {
    throw graphErrors.WEIR_JOB_EMPTY({ job: name })
  }
  checkUids(transformations)
  for (const transformation of transformations) checkStateNames(transformation)
  const greatest = Math.max(parallelism, ...transformations.map(t => t.parallelism ?? 1))
  const maxParallelism = options.maxParallelism ?? defaultMaxParallelism(greatest)
  checkMaxParallelism(maxParallelism)

  const nodes = new Map<Transformation, StreamNode>()
  const nextId = operatorIds()
  for (const transformation of transformations) {
    const wanted = transformation.parallelism ?? parallelism
    if (wanted > maxParallelism) {
      const what = { ...named(transformation), parallelism: wanted, maxParallelism }
      throw graphErrors.WEIR_PARALLELISM_EXCEEDED(what)
    }
    const inputs = transformation.inputs.map(edge => {
      const from = assertDefined(nodes.get(edge.from), 'S1: inputs stand before their readers')
      return resolveEdge(edge, from, { transformation, parallelism: wanted })
    })
    const operatorId = nextId(transformation)
    nodes.set(transformation, { operatorId, transformation, parallelism: wanted, inputs })
  }
  return { name, parallelism, maxParallelism, nodes: [...nodes.values()], pipeline }
}

export function named(transformation: Transformation): NamedOperator {
  return { operator: transformation.uid ?? transformation.name, location: transformation.location }
}

function checkMaxParallelism(maxParallelism: number): void {
  const limit = MAX_PARALLELISM_LIMIT
  if (Number.isInteger(maxParallelism) && maxParallelism >= 1 && maxParallelism <= limit) return
  throw graphErrors.WEIR_MAX_PARALLELISM_INVALID({ maxParallelism, limit })
}

function checkUids(transformations: readonly Transformation[]): void {
  const missing = transformations.flatMap(t => {
    const reason = t.uid === undefined ? stateReason(t.operator) : undefined
    return reason === undefined ? [] : [{ ...named(t), reason }]
  })
  if (missing.length > 0) throw graphErrors.WEIR_UID_MISSING({ missing })

  const byUid = new Map<string, Transformation>()
  for (const transformation of transformations) {
    const { uid } = transformation
    if (uid === undefined) continue
    const other = byUid.get(uid)
    if (other !== undefined) {
      const [first, second] = [byName(other), byName(transformation)]
      throw graphErrors.WEIR_UID_DUPLICATE({ uid, first, second })
    }
    byUid.set(uid, transformation)
  }
}

/** Names that begin with `$` are the operators' own; names become parts of paths and metrics. */
const STATE_NAME = /^[A-Za-z_][A-Za-z0-9._-]{0,99}$/

function checkStateNames(transformation: Transformation): void {
  for (const state of declaredNames(transformation.operator)) {
    if (STATE_NAME.test(state)) continue
    throw graphErrors.WEIR_STATE_NAME_INVALID({ ...named(transformation), state })
  }
}

function declaredNames(operator: OperatorSpec): readonly string[] {
  const fn: object = 'fn' in operator && operator.fn !== undefined ? operator.fn : {}
  const sets = ['state', 'operatorState', 'broadcast', 'windowState', 'globalState']
  return sets.flatMap(set => Object.keys((fn as Record<string, object | undefined>)[set] ?? {}))
}

/** By its name, where the uid would tell nothing. */
function byName(transformation: Transformation): NamedOperator {
  return { operator: transformation.name, location: transformation.location }
}

/** Ids by the order among operators of one kind: adding a filter does not rename the maps. */
function operatorIds(): (transformation: Transformation) => string {
  const counts = new Map<string, number>()
  return ({ uid, operator }) => {
    if (uid !== undefined) return uid
    const count = (counts.get(operator.kind) ?? 0) + 1
    counts.set(operator.kind, count)
    return `${operator.kind}~${count}`
  }
}

interface Receiver {
  readonly transformation: Transformation
  readonly parallelism: number
}

function resolveEdge(edge: TransformationEdge, from: StreamNode, to: Receiver): StreamEdge {
  const equal = from.parallelism === to.parallelism
  const partitioner = edge.partitioner ?? { kind: equal ? 'forward' : 'rebalance' }
  if (partitioner.kind === 'forward' && !equal) {
    throw graphErrors.WEIR_FORWARD_UNEQUAL({
      from: named(from.transformation),
      to: named(to.transformation),
      senders: from.parallelism,
      receivers: to.parallelism,
    })
  }
  assert(edge.input < to.transformation.inputTypes.length, 'an edge leads to an input that exists')
  return { from, sideOutput: edge.sideOutput, input: edge.input, partitioner }
}
