/**
 * A job graph as plain JSON: what `weir plan --json` prints, and what the other forms are made
 * of.
 */
import type { OperatorKind } from '../api/transformation.ts'
import type { WatermarkStrategy } from '../api/watermark-strategy.ts'
import { formatDuration } from '../common/duration.ts'
import type {
  ChainedOperator,
  ForcedAlignment,
  GraphWarning,
  JobEdge,
  JobGraph,
} from './job-graph.ts'
import { type PlanRegions, planRegions } from './plan-regions.ts'
import { type PlannedState, plannedStatesOf } from './planned-states.ts'

export interface JobPlan {
  readonly name: string
  readonly parallelism: number
  readonly maxParallelism: number
  readonly vertices: readonly PlanVertex[]
  readonly edges: readonly PlanEdge[]
  /** What restarts together when something fails. */
  readonly failoverRegions: readonly PlanRegions[]
  readonly warnings: readonly GraphWarning[]
}

export interface PlanVertex {
  readonly id: string
  readonly name: string
  readonly parallelism: number
  /** The head first. */
  readonly operators: readonly PlanOperator[]
}

export interface PlanOperator {
  readonly id: string
  readonly uid: string | null
  readonly name: string
  readonly kind: OperatorKind
  /** `file:line` in the job. */
  readonly location: string
  /** The operator of the chain that feeds it; null for the head. */
  readonly input: string | null
  /** Its results' type. */
  readonly output: string
  /** What is special about it: `watermarks: monotonous`. */
  readonly details: readonly string[]
  readonly states: readonly PlanState[]
}

export interface PlanState {
  readonly name: string
  readonly kind: PlannedState['kind']
  readonly type: string
  readonly schema: unknown
  readonly version: number
  readonly ttl: boolean
}

export interface PlanEdge {
  readonly id: string
  /** Ids of vertices. */
  readonly from: string
  readonly to: string
  /** Ids of operators. */
  readonly fromOperator: string
  readonly toOperator: string
  readonly input: 0 | 1
  readonly sideOutput: string | null
  readonly partitioner: string
  readonly type: string
  /** Why barriers keep their order here also when unaligned; null where they overtake. */
  readonly barriersInOrder: ForcedAlignment | null
  /** Records travel with source, split and offset, for dead letters. */
  readonly located: boolean
}

export function describeJob(graph: JobGraph): JobPlan {
  return {
    name: graph.name,
    parallelism: graph.parallelism,
    maxParallelism: graph.maxParallelism,
    vertices: graph.vertices.map(({ id, name, parallelism, chain }) => ({
      id,
      name,
      parallelism,
      operators: chain.map(operator => describeOperator(operator, chain)),
    })),
    edges: graph.edges.map(describeEdge),
    failoverRegions: planRegions(graph),
    warnings: graph.warnings,
  }
}

/** Two blanks deep, with an end of line: for files and pipes. */
export function planJson(graph: JobGraph): string {
  return `${JSON.stringify(describeJob(graph), null, 2)}\n`
}

function describeOperator(
  operator: ChainedOperator,
  chain: readonly ChainedOperator[],
): PlanOperator {
  const { operatorId, uid, name, spec, location, chainedInput, outputType } = operator
  return {
    id: operatorId,
    uid: uid ?? null,
    name,
    kind: spec.kind,
    location,
    input: chainedInput === undefined ? null : (chain[chainedInput.from]?.operatorId ?? null),
    output: outputType.name,
    details: detailsOf(operator),
    states: plannedStatesOf(operator).map(describeState),
  }
}

function describeState(state: PlannedState): PlanState {
  const { name, kind, version, ttl } = state
  const key = state.keyType === undefined ? '' : `${state.keyType.name} => `
  return {
    name,
    kind,
    type: key + state.type.name,
    schema: state.type.schema,
    version,
    ttl,
  }
}

function describeEdge(edge: JobEdge): PlanEdge {
  return {
    id: edge.id,
    from: edge.from.vertexId,
    to: edge.to.vertexId,
    fromOperator: edge.from.operatorId,
    toOperator: edge.to.operatorId,
    input: edge.input,
    sideOutput: edge.sideOutput?.id ?? null,
    partitioner: edge.partitioner.kind,
    type: edge.type.name,
    barriersInOrder: edge.forcedAlignment ?? null,
    located: edge.isLocated === true,
  }
}

function detailsOf({ spec, errorPolicy }: ChainedOperator): readonly string[] {
  const details: string[] = []
  switch (spec.kind) {
    case 'source':
      details.push(spec.source.boundedness, `watermarks: ${describeWatermarks(spec.watermarks)}`)
      break
    case 'watermarks':
      details.push(`watermarks: ${describeWatermarks(spec.watermarks)}`)
      break
    case 'sink':
      details.push(spec.sink.delivery)
      break
    case 'window':
    case 'window-join':
    case 'window-co-group': {
      const { assigner, trigger, evictor, allowedLatenessMs } = spec.window
      details.push(`${assigner.timeDomain} time`)
      if (trigger !== undefined) details.push(`trigger ${trigger.name}`)
      if (evictor !== undefined) details.push(`evictor ${evictor.name}`)
      if (allowedLatenessMs > 0) details.push(`lateness ${formatDuration(allowedLatenessMs)}`)
      break
    }
    case 'interval-join':
      details.push(`right - left from ${spec.lowerMs} to ${spec.upperMs} ms`)
      break
    case 'async':
      details.push(spec.options.ordered ? 'ordered' : 'unordered')
      break
    default:
      break
  }
  if (errorPolicy.kind !== 'fail') details.push(`on error: ${errorPolicy.kind}`)
  return details
}

function describeWatermarks({ name, idlenessMs, alignment }: WatermarkStrategy<unknown>): string {
  const idle = idlenessMs > 0 ? `, idle after ${formatDuration(idlenessMs)}` : ''
  const aligned =
    alignment === undefined
      ? ''
      : `, aligned in ${alignment.group} within ${formatDuration(alignment.maxDriftMs)}`
  return name + idle + aligned
}
