/**
 * The execution plan: one entry per subtask, with its key groups and the channels of its edges.
 *
 * Owns        who talks to whom: which subtasks each edge joins, and in which order.
 * Leaves out  slots, attempts, addresses: those belong to the cluster.
 *
 * Invariants
 *  P1  A channel stands once in an output of its sender and once in an input of its receiver.
 *  P2  The key-group ranges of a vertex's subtasks cover every group once.
 */
import { assert } from '../common/assert.ts'
import { type KeyGroupRange, keyGroupRange } from '../state/key-groups.ts'
import { type JobEdge, type JobGraph, type JobVertex, vertexOf } from './job-graph.ts'

export interface ExecutionPlan {
  readonly graph: JobGraph
  /** Slots the job needs: the greatest parallelism. Slot i runs subtask i of every vertex. */
  readonly slots: number
  /** In the order of the graph's vertices, then by index. */
  readonly subtasks: readonly Subtask[]
}

export interface Subtask {
  /** `<vertex id>/<index>`. */
  readonly id: string
  readonly vertex: JobVertex
  readonly index: number
  readonly keyGroups: KeyGroupRange
  /** One per edge of the vertex, in its order. */
  readonly inputs: readonly SubtaskInput[]
  /** One per edge of the vertex, in its order. */
  readonly outputs: readonly SubtaskOutput[]
}

export interface SubtaskInput {
  readonly edge: JobEdge
  /** Indexes of the sending subtasks, ascending: one channel each. */
  readonly from: readonly number[]
}

export interface SubtaskOutput {
  readonly edge: JobEdge
  /**
   * Indexes of the receiving subtasks, ascending: one channel each. A partitioner picks among
   * these.
   */
  readonly to: readonly number[]
}

export function buildExecutionPlan(graph: JobGraph): ExecutionPlan {
  const wiring = new Map(graph.edges.map(edge => [edge, wire(graph, edge)]))
  const subtasks: Subtask[] = []
  for (const vertex of graph.vertices) {
    for (let index = 0; index < vertex.parallelism; index++) {
      subtasks.push({
        id: `${vertex.id}/${index}`,
        vertex,
        index,
        keyGroups: keyGroupRange(index, vertex.maxParallelism, vertex.parallelism),
        inputs: vertex.inputs.map(edge => ({ edge, from: wiring.get(edge)?.senders[index] ?? [] })),
        outputs: vertex.outputs.map(edge => ({
          edge,
          to: wiring.get(edge)?.receivers[index] ?? [],
        })),
      })
    }
  }
  return { graph, slots: Math.max(...graph.vertices.map(v => v.parallelism)), subtasks }
}

interface Wiring {
  /** By receiving subtask: the senders it hears. */
  readonly senders: readonly (readonly number[])[]
  /** By sending subtask: the receivers it reaches. */
  readonly receivers: readonly (readonly number[])[]
}

function wire(graph: JobGraph, edge: JobEdge): Wiring {
  const from = vertexOf(graph, edge.from.vertexId).parallelism
  const to = vertexOf(graph, edge.to.vertexId).parallelism
  const { kind } = edge.partitioner
  const receivers = Array.from({ length: from }, (_, sender) =>
    kind === 'forward' || kind === 'rescale' ? pointwise(sender, from, to) : upTo(to),
  )
  const senders = Array.from({ length: to }, (_, receiver) =>
    upTo(from).filter(sender => receivers[sender]?.includes(receiver)),
  )
  assert(
    senders.every(list => list.length > 0),
    'P1: every receiver hears a sender',
  )
  return { senders, receivers }
}

/**
 * The receivers of a sender where each subtask talks to as few others as possible, as evenly as the
 * numbers allow.
 */
function pointwise(sender: number, from: number, to: number): readonly number[] {
  if (from >= to) {
    return upTo(to).filter(receiver => {
      const first = Math.floor((receiver * from) / to)
      const end = Math.floor(((receiver + 1) * from) / to)
      return sender >= first && sender < end
    })
  }
  const first = Math.floor((sender * to + from - 1) / from)
  const end = Math.floor(((sender + 1) * to + from - 1) / from)
  return upTo(end - first).map(offset => first + offset)
}

function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index)
}
