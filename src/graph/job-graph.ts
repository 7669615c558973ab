/**
 * The job graph: operators chained into vertices. One vertex is one task; each of its subtasks runs
 * the whole chain by direct calls, and only the edges between vertices cross the network. This file
 * is the contract between `graph/` and those who run, show or check a job.
 *
 * Owns        the shape of vertices, chains and edges, and the questions asked of them.
 * Leaves out  how chains are found (`chaining.ts`) and who runs where (`execution-plan.ts`).
 *
 * Invariants, asserted by `checkJobGraph`:
 *  J1  Vertices stand in topological order: an edge leads from an earlier vertex to a later one.
 *  J2  A chain is a tree: its first operator is the head and has no input in the chain, every other
 *      one has exactly one, which stands before it.
 *  J3  Only the head of a chain has network inputs; only a head has two inputs.
 *  J4  Operator ids and edge ids are unique in the job.
 *  J5  A forward edge joins vertices of equal parallelism.
 *  J6  1 <= parallelism <= maxParallelism for every vertex.
 */
import type { ErrorPolicy, Key, KeySelector, OutputTag } from '../api/functions.ts'
import type { OperatorSpec, Partitioner } from '../api/transformation.ts'
import { assert } from '../common/assert.ts'
import type { Type } from '../schema/type.ts'

export interface JobGraph {
  readonly name: string
  /** The job's parallelism: that of operators which set none. */
  readonly parallelism: number
  /** The number of key groups, the same for every vertex. Immutable after the first snapshot. */
  readonly maxParallelism: number
  /** How long a record waits for others on its way; left out: as the job's settings say. */
  readonly bufferTimeoutMs?: number
  /** In topological order (J1). */
  readonly vertices: readonly JobVertex[]
  /** All edges between vertices; each also stands in the `outputs` and `inputs` of its ends. */
  readonly edges: readonly JobEdge[]
  readonly warnings: readonly GraphWarning[]
}

/** One task: a chain of operators with one parallelism. */
export interface JobVertex {
  /** That of the head operator: stable as long as the head's uid is. */
  readonly id: string
  /** The operators' names: `flights -> parse`. */
  readonly name: string
  readonly parallelism: number
  readonly maxParallelism: number
  /** In topological order: a tree from the head (J2). */
  readonly chain: readonly ChainedOperator[]
  /**
   * The head's edges, in the order of their input, then as the job declared them. Empty: a
   * source.
   */
  readonly inputs: readonly JobEdge[]
  /** The edges of all operators of the chain. */
  readonly outputs: readonly JobEdge[]
}

export interface ChainedOperator {
  /** Its place in `chain`: 0 is the head. */
  readonly index: number
  /**
   * Where state is found again: derived from the uid, or from the structure where there is none.
   */
  readonly operatorId: string
  readonly uid: string | undefined
  readonly name: string
  readonly spec: OperatorSpec
  /** Of keyed inputs, by input number; empty when the operator has no keyed state. */
  readonly keySelectors: readonly KeySelector<unknown, Key>[]
  /** By input number. */
  readonly inputTypes: readonly Type<unknown>[]
  readonly outputType: Type<unknown>
  readonly errorPolicy: ErrorPolicy
  /** `file:line` of the call that made it. */
  readonly location: string
  /** Who feeds it within the chain; `undefined` for the head. */
  readonly chainedInput: ChainedInput | undefined
  /** Whom it feeds within the chain, in the order the job declared them. */
  readonly chainedOutputs: readonly ChainedOutput[]
  /** The edges that begin at this operator. */
  readonly networkOutputs: readonly JobEdge[]
}

export interface ChainedInput {
  /** Index in the chain. */
  readonly from: number
  /** Takes this side output of `from`; `undefined` for its main output. */
  readonly sideOutput: OutputTag<unknown> | undefined
}

export interface ChainedOutput {
  /** Index in the chain. */
  readonly to: number
  readonly sideOutput: OutputTag<unknown> | undefined
}

/** Records that go from an operator of one vertex to the head of another. */
export interface JobEdge {
  /**
   * `<from operator id>[:<side output>]-><to operator id>/<input>`, numbered where that repeats.
   */
  readonly id: string
  readonly from: JobEdgeEnd
  readonly sideOutput: OutputTag<unknown> | undefined
  readonly to: JobEdgeEnd
  /** Which input of the head: 0 for the only or first one. */
  readonly input: 0 | 1
  /** Resolved: a `forward` edge has equal parallelism at both ends (J5). */
  readonly partitioner: Partitioner
  /** Of the records that travel. */
  readonly type: Type<unknown>
  /** Why no barrier overtakes data here; `undefined` where an unaligned one does. */
  readonly forcedAlignment: ForcedAlignment | undefined
  /**
   * A record whose key selector throws goes to the first receiver: its error policy deals with it.
   * Absent: it fails the sender, who knows where the record came from.
   */
  readonly passesBadKeys?: boolean
  /** Each record travels with where it came from: see `need-coordinates.ts`. `type` is without. */
  readonly isLocated?: boolean
}

/** See `forced-alignment.ts`. */
export type ForcedAlignment = 'forward' | 'rescale' | 'broadcast' | 'behind a sink'

export interface JobEdgeEnd {
  readonly vertexId: string
  readonly operatorId: string
}

/** Something that works but that its author should know; shown by `weir plan` and at start. */
export interface GraphWarning {
  readonly code: string
  readonly message: string
  readonly next: string
  /** The operator it is about, if it is about one. */
  readonly operator: string | undefined
}

export function vertexOf(graph: JobGraph, vertexId: string): JobVertex {
  const found = graph.vertices.find(vertex => vertex.id === vertexId)
  assert(found !== undefined, `no vertex ${vertexId}`)
  return found
}

export function headOf(vertex: JobVertex): ChainedOperator {
  const head = vertex.chain[0]
  assert(head !== undefined, 'J2: a chain has a head')
  return head
}

/** All operators of the job, vertex by vertex. */
export function operatorsOf(graph: JobGraph): readonly ChainedOperator[] {
  return graph.vertices.flatMap(vertex => vertex.chain)
}

/** Whether the operator keeps state or timers by key. */
export function isKeyed(operator: ChainedOperator): boolean {
  return operator.keySelectors.length > 0
}

/** Throws an {@link AssertionError} that names the broken invariant. */
export function checkJobGraph(graph: JobGraph): void {
  const place = new Map(graph.vertices.map((vertex, index) => [vertex.id, index]))
  assert(place.size === graph.vertices.length, 'J4: vertex ids are unique')
  const operatorIds = operatorsOf(graph).map(operator => operator.operatorId)
  assert(new Set(operatorIds).size === operatorIds.length, 'J4: operator ids are unique')
  assert(new Set(graph.edges.map(e => e.id)).size === graph.edges.length, 'J4: edge ids are unique')
  for (const vertex of graph.vertices) checkVertex(vertex)
  for (const edge of graph.edges) {
    const from = place.get(edge.from.vertexId)
    const to = place.get(edge.to.vertexId)
    assert(from !== undefined && to !== undefined && from < to, 'J1: edges lead onwards')
    const equal = graph.vertices[from]?.parallelism === graph.vertices[to]?.parallelism
    assert(edge.partitioner.kind !== 'forward' || equal, 'J5: forward joins equal parallelism')
  }
}

function checkVertex(vertex: JobVertex): void {
  const { parallelism, maxParallelism } = vertex
  assert(parallelism >= 1 && parallelism <= maxParallelism, 'J6: 1 <= parallelism <= maximum')
  vertex.chain.forEach((operator, index) => {
    const from = operator.chainedInput?.from
    assert(operator.index === index, 'J2: an operator knows its place')
    assert((from === undefined) === (index === 0), 'J2: only the head has no input in the chain')
    assert(from === undefined || from < index, 'J2: an operator stands after its input')
    assert(index === 0 || operator.inputTypes.length === 1, 'J3: only a head has two inputs')
  })
  const headId = headOf(vertex).operatorId
  assert(
    vertex.inputs.every(edge => edge.to.operatorId === headId),
    'J3: network inputs lead to the head',
  )
}
