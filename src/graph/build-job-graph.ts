/**
 * Chains a stream graph into a job graph. An operator joins the chain of its input, as in Flink,
 * when it has only one incoming edge, that edge is forward between equal parallelisms, and
 * neither side was told otherwise. Two inputs, a union and an asynchronous operator begin a
 * chain.
 */
import type { Job } from '../api/job.ts'
import { generalType } from '../schema/general-type.ts'
import type { Type } from '../schema/type.ts'
import { typeOf } from '../schema/type-of.ts'
import { forcedAlignment, sinksAndBehind } from './forced-alignment.ts'
import { type CheckpointingMode, graphWarnings } from './graph-warnings.ts'
import {
  type ChainedOperator,
  checkJobGraph,
  type JobEdge,
  type JobGraph,
  type JobVertex,
} from './job-graph.ts'
import { needCoordinates } from './need-coordinates.ts'
import {
  buildStreamGraph,
  type StreamEdge,
  type StreamGraph,
  type StreamNode,
} from './stream-graph.ts'

export interface JobGraphOptions {
  /** Used where the job has no name of its own. */
  readonly name?: string
  readonly args?: Readonly<Record<string, string>>
  /** Default 1. */
  readonly parallelism?: number
  /** Of a restored snapshot, or of the manifest. */
  readonly maxParallelism?: number
  /** Off: every operator is a vertex of its own. Default on. */
  readonly chaining?: boolean
  /**
   * Chains shuffles between single subtasks too: with parallelism 1 there is nobody else to send
   * to. Faster on one core; Flink does not do it. Default off.
   */
  readonly chainSingleSubtasks?: boolean
  /** For the warnings; undefined: the job takes no checkpoints. */
  readonly checkpointing?: CheckpointingMode
}

/** Builds a job for one run: from its builder function to its job graph. */
export function planJob(job: Job, options: JobGraphOptions = {}): JobGraph {
  const { args = {}, parallelism = 1 } = options
  return buildJobGraph(buildStreamGraph(job.build({ args, parallelism }), options), options)
}

export function buildJobGraph(stream: StreamGraph, options: JobGraphOptions = {}): JobGraph {
  const heads = findHeads(stream, options)
  const edges = networkEdges(stream, heads)
  const chains = Map.groupBy(stream.nodes, node => heads.get(node) ?? node)
  const vertices = [...chains].map(([head, chain]) => makeVertex({ stream, head, chain, edges }))
  const warnings = graphWarnings(stream, edges, options.checkpointing)
  const { name, parallelism, maxParallelism } = stream
  const { bufferTimeoutMs } = stream.pipeline
  const graph = {
    name,
    parallelism,
    maxParallelism,
    ...(bufferTimeoutMs === undefined ? {} : { bufferTimeoutMs }),
    vertices,
    edges,
    warnings,
  }
  checkJobGraph(graph)
  return graph
}

/** The head of the chain that each operator belongs to. */
type Heads = ReadonlyMap<StreamNode, StreamNode>

function findHeads(stream: StreamGraph, options: JobGraphOptions): Heads {
  const heads = new Map<StreamNode, StreamNode>()
  for (const node of stream.nodes) {
    const input = node.inputs[0]
    const joins = input !== undefined && isChainable(node, input, options)
    heads.set(node, joins ? (heads.get(input.from) ?? input.from) : node)
  }
  return heads
}

function isChainable(node: StreamNode, input: StreamEdge, options: JobGraphOptions): boolean {
  const { chaining = true, chainSingleSubtasks = false } = options
  const { transformation } = node
  const single = chainSingleSubtasks && node.parallelism === 1
  return (
    chaining &&
    node.inputs.length === 1 &&
    node.parallelism === input.from.parallelism &&
    (input.partitioner.kind === 'forward' || single) &&
    transformation.chaining === 'always' &&
    input.from.transformation.chaining !== 'never' &&
    transformation.operator.kind !== 'async'
  )
}

function networkEdges(stream: StreamGraph, heads: Heads): readonly JobEdge[] {
  const ids = new Map<string, number>()
  const edges: JobEdge[] = []
  const sinks = sinksAndBehind(stream.nodes)
  const located = needCoordinates(stream.nodes)
  for (const to of stream.nodes) {
    if (heads.get(to) !== to) continue
    for (const edge of to.inputs) {
      const tag = edge.sideOutput === undefined ? '' : `:${edge.sideOutput.id}`
      const id = `${edge.from.operatorId}${tag}->${to.operatorId}/${edge.input}`
      const seen = ids.get(id) ?? 0
      ids.set(id, seen + 1)
      edges.push({
        id: seen === 0 ? id : `${id}#${seen + 1}`,
        from: {
          vertexId: (heads.get(edge.from) ?? edge.from).operatorId,
          operatorId: edge.from.operatorId,
        },
        sideOutput: edge.sideOutput,
        to: { vertexId: to.operatorId, operatorId: to.operatorId },
        input: edge.input,
        partitioner: edge.partitioner,
        type: typeOfEdge(edge),
        forcedAlignment: forcedAlignment(edge, sinks),
        ...(to.transformation.errorPolicy.kind === 'fail' ? {} : { passesBadKeys: true }),
        ...(located.has(to) ? { isLocated: true } : {}),
      })
    }
  }
  return edges
}

/** Of the records that travel on it. */
function typeOfEdge({ from, sideOutput }: StreamEdge): Type<unknown> {
  if (sideOutput === undefined) return from.transformation.outputType
  return sideOutput.type === undefined ? generalType : typeOf(sideOutput.type)
}

interface VertexParts {
  readonly stream: StreamGraph
  readonly head: StreamNode
  readonly chain: readonly StreamNode[]
  readonly edges: readonly JobEdge[]
}

function makeVertex({ stream, head, chain, edges }: VertexParts): JobVertex {
  const id = head.operatorId
  const inputs = edges.filter(edge => edge.to.vertexId === id)
  return {
    id,
    name: chain.map(node => node.transformation.name).join(' -> '),
    parallelism: head.parallelism,
    maxParallelism: stream.maxParallelism,
    chain: chain.map((node, index) => chainOperator(node, index, { chain, edges })),
    inputs: inputs.toSorted((a, b) => a.input - b.input),
    outputs: edges.filter(edge => edge.from.vertexId === id),
  }
}

function chainOperator(
  node: StreamNode,
  index: number,
  { chain, edges }: Pick<VertexParts, 'chain' | 'edges'>,
): ChainedOperator {
  const { transformation, operatorId } = node
  const input = index === 0 ? undefined : node.inputs[0]
  return {
    index,
    operatorId,
    uid: transformation.uid,
    name: transformation.name,
    spec: transformation.operator,
    keySelectors: transformation.keySelectors,
    inputTypes: transformation.inputTypes,
    outputType: transformation.outputType,
    errorPolicy: transformation.errorPolicy,
    location: transformation.location,
    chainedInput: input && { from: chain.indexOf(input.from), sideOutput: input.sideOutput },
    chainedOutputs: chain.flatMap((other, to) =>
      to > 0 && other.inputs[0]?.from === node
        ? [{ to, sideOutput: other.inputs[0].sideOutput }]
        : [],
    ),
    networkOutputs: edges.filter(edge => edge.from.operatorId === operatorId),
  }
}
