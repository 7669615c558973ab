/** A job's plan as a Mermaid flowchart: for documents and pull requests. */
import type { JobGraph } from './job-graph.ts'
import { describeJob, type PlanEdge, type PlanVertex } from './plan-json.ts'

export function planMermaid(graph: JobGraph): string {
  const plan = describeJob(graph)
  const names = new Map(plan.vertices.map((vertex, index) => [vertex.id, `v${index + 1}`]))
  const lines = [
    'flowchart LR',
    ...plan.vertices.map(vertex => `  ${names.get(vertex.id)}["${vertexLabel(vertex)}"]`),
    ...plan.edges.map(
      edge => `  ${names.get(edge.from)} -- "${edgeLabel(edge)}" --> ${names.get(edge.to)}`,
    ),
  ]
  return `${lines.join('\n')}\n`
}

function vertexLabel(vertex: PlanVertex): string {
  const operators = vertex.operators.map(({ name, uid, states }) => {
    const kept = states.length === 0 ? '' : ` (${states.map(state => state.name).join(', ')})`
    return escaped((uid === null || uid === name ? name : `${uid}: ${name}`) + kept)
  })
  return [...operators, `parallelism ${vertex.parallelism}`].join('<br/>')
}

function edgeLabel({ partitioner, sideOutput }: PlanEdge): string {
  return escaped(sideOutput === null ? partitioner : `${partitioner} of ${sideOutput}`)
}

/** Mermaid ends a label at a quote and reads tags in it. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
}
