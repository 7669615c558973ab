/** A job's plan for people: vertices, chains, uids, shuffles, state and warnings. */
import type { JobGraph } from './job-graph.ts'
import {
  describeJob,
  type JobPlan,
  type PlanEdge,
  type PlanOperator,
  type PlanVertex,
} from './plan-json.ts'

/** Types of wide records would fill the screen; the JSON form has them whole. */
const TYPE_COLUMNS = 72

export interface PlanTextOptions {
  /** The job's barriers overtake data where they may: says where they may not. */
  readonly overtaking?: boolean
}

export function planText(graph: JobGraph, { overtaking = false }: PlanTextOptions = {}): string {
  const plan = describeJob(graph)
  const { name, parallelism, maxParallelism } = plan
  const lines = [`job ${name}   parallelism ${parallelism}   maxParallelism ${maxParallelism}`]
  plan.vertices.forEach((vertex, index) => {
    lines.push('', ...vertexLines(plan, vertex, { index, overtaking }))
  })
  lines.push('', ...regionLines(plan), '', ...warningLines(plan))
  return `${lines.join('\n')}\n`
}

function vertexLines(
  plan: JobPlan,
  vertex: PlanVertex,
  { index, overtaking }: { readonly index: number; readonly overtaking: boolean },
): readonly string[] {
  const inputs = plan.edges.filter(edge => edge.to === vertex.id)
  return [
    `[${index + 1}] ${vertex.name}   parallelism ${vertex.parallelism}`,
    ...inputs.map(edge => {
      const barriers = overtaking ? `   ${barrierText(edge)}` : ''
      return `    <- ${edgeText(plan, edge)}${barriers}`
    }),
    ...vertex.operators.flatMap(operatorLines),
  ]
}

function edgeText(plan: JobPlan, edge: PlanEdge): string {
  const number = plan.vertices.findIndex(vertex => vertex.id === edge.from) + 1
  const side = edge.sideOutput === null ? '' : ` (side output ${edge.sideOutput})`
  const input = plan.edges.some(other => other.to === edge.to && other.input === 1)
    ? ` into input ${edge.input + 1}`
    : ''
  const located = edge.located ? ', with coordinates' : ''
  return `${edge.partitioner} from [${number}]${side}${input}: ${shortened(edge.type)}${located}`
}

function barrierText({ barriersInOrder }: PlanEdge): string {
  if (barriersInOrder === null) return 'barriers overtake'
  return `barriers keep their order (${barriersInOrder})`
}

function operatorLines(operator: PlanOperator): readonly string[] {
  const uid = operator.uid === null ? '' : `   uid ${operator.uid}`
  const details = operator.details.map(detail => `   ${detail}`).join('')
  return [
    `    ${operator.name}   ${operator.kind}${uid}${details}   ${shortLocation(operator.location)}`,
    ...operator.states.map(state => {
      const ttl = state.ttl ? ', ttl' : ''
      const version = state.version > 0 ? `, version ${state.version}` : ''
      return `      state ${state.name}: ${state.kind} of ${shortened(state.type)}${version}${ttl}`
    }),
  ]
}

function regionLines({ failoverRegions, vertices }: JobPlan): readonly string[] {
  const count = failoverRegions.reduce((sum, { slots }) => sum + slots.length, 0)
  if (count === 1) return ['1 failover region: a failure restarts the whole job']
  const numberOf = (id: string): string => `[${vertices.findIndex(one => one.id === id) + 1}]`
  return [
    `${count} failover regions: a failure restarts those that it touches`,
    ...failoverRegions.map(({ vertices: ids, slots }) => {
      const names = ids.map(numberOf).join(' ')
      const places = slots.map(slotsText).join(', ')
      return `    ${names}   ${slots.length} in slots ${shortened(places)}`
    }),
  ]
}

/** Of one region: `2` or `0+1`. */
function slotsText(slots: readonly number[]): string {
  const [first, last] = [slots.at(0), slots.at(-1)]
  return slots.length > 3 ? `${first}..${last}` : slots.join('+')
}

function warningLines({ warnings }: JobPlan): readonly string[] {
  if (warnings.length === 0) return ['no warnings']
  return warnings.flatMap(({ code, message, next }) => [`${code}  ${message}`, `  next: ${next}`])
}

function shortened(text: string): string {
  return text.length <= TYPE_COLUMNS ? text : `${text.slice(0, TYPE_COLUMNS - 1)}…`
}

/** The last two parts of the path: enough to know the file. */
function shortLocation(location: string): string {
  return location.split(/[\\/]/).slice(-2).join('/')
}
