/** Advice on a pipeline that works, but perhaps not as its author thinks. */
import type { WatermarkStrategy } from '../api/watermark-strategy.ts'
import { closestName } from '../common/closest-name.ts'
import type { Type } from '../schema/type.ts'

import { place as placeOf } from './graph-errors.ts'
import type { GraphWarning, JobEdge } from './job-graph.ts'
import { plannedStatesOf } from './planned-states.ts'
import { named, type StreamGraph, type StreamNode } from './stream-graph.ts'

export type CheckpointingMode = 'exactly-once' | 'at-least-once'

export function graphWarnings(
  stream: StreamGraph,
  edges: readonly JobEdge[],
  checkpointing: CheckpointingMode | undefined,
): readonly GraphWarning[] {
  return [
    ...slowEdges(stream, edges),
    ...stream.nodes.flatMap(slowStates),
    ...stream.nodes.flatMap(node => weakSink(node, checkpointing)),
    ...missingWatermarks(stream),
    ...stream.nodes.flatMap(node => endlessSource(node, checkpointing)),
    ...unusedOutputs(stream),
    ...unreadArguments(stream),
  ]
}

function isGeneral(type: Type<unknown> | undefined): boolean {
  return type?.schema.kind === 'general'
}

function place({ transformation }: StreamNode): string {
  return placeOf(named(transformation))
}

function slowEdges(stream: StreamGraph, edges: readonly JobEdge[]): readonly GraphWarning[] {
  const slow = new Set(edges.filter(e => isGeneral(e.type)).map(e => e.from.operatorId))
  return stream.nodes
    .filter(node => slow.has(node.operatorId))
    .map(node => ({
      code: 'WEIR_SLOW_SHUFFLE',
      message: `the records of ${place(node)} have no schema and travel by the general codec`,
      next: 'give the function an output schema, or add .returns(schema)',
      operator: node.operatorId,
    }))
}

function slowStates(node: StreamNode): readonly GraphWarning[] {
  const { operator, inputTypes } = node.transformation
  const slow = plannedStatesOf({ spec: operator, inputTypes })
    .filter(state => isGeneral(state.type) || isGeneral(state.keyType))
    .map(state => state.name)
  if (slow.length === 0) return []
  return [
    {
      code: 'WEIR_SLOW_STATE',
      message: `${place(node)} keeps ${slow.join(', ')} without a schema, by the general codec`,
      next: 'give the state a schema; what is kept by records takes the schema of its input',
      operator: node.operatorId,
    },
  ]
}

function weakSink(
  node: StreamNode,
  checkpointing: CheckpointingMode | undefined,
): readonly GraphWarning[] {
  const { operator } = node.transformation
  if (operator.kind !== 'sink' || checkpointing !== 'exactly-once') return []
  if (operator.sink.delivery === 'exactly-once') return []
  return [
    {
      code: 'WEIR_SINK_AT_LEAST_ONCE',
      message: `exactly-once job, but sink ${place(node)} may write records again after a failure`,
      next: 'use a sink with delivery exactly-once, or one whose writes may be repeated',
      operator: node.operatorId,
    },
  ]
}

/** Operators that wait for event time which never advances before the input ends. */
function missingWatermarks(stream: StreamGraph): readonly GraphWarning[] {
  const lacking = new Map<StreamNode, StreamNode>()
  const warnings: GraphWarning[] = []
  for (const node of stream.nodes) {
    const strategy = strategyOf(node)
    const source = lackingInput(node, lacking)
    if (strategy === undefined && source !== undefined) lacking.set(node, source)
    if (strategy !== undefined && strategy.makeGenerator === undefined) lacking.set(node, node)
    if (source === undefined || !needsWatermarks(node)) continue
    warnings.push({
      code: 'WEIR_WATERMARKS_MISSING',
      message: `${place(node)} gets no watermarks from ${place(source)}: it waits for the end`,
      next: 'give the source a watermark strategy, or use processing time',
      operator: node.operatorId,
    })
  }
  return warnings
}

/**
 * The source whose missing watermarks hold the operator back. One that ends, beside others that
 * have them, does so until it was read: for data that must be complete first, that is what is
 * wanted.
 */
function lackingInput(
  node: StreamNode,
  lacking: ReadonlyMap<StreamNode, StreamNode>,
): StreamNode | undefined {
  const sources = node.inputs.map(input => lacking.get(input.from))
  const allLack = sources.every(source => source !== undefined)
  return sources.find(source => source !== undefined && (allLack || !isBounded(source)))
}

function isBounded({ transformation: { operator } }: StreamNode): boolean {
  return operator.kind === 'source' && operator.source.boundedness === 'bounded'
}

function strategyOf({ transformation }: StreamNode): WatermarkStrategy<unknown> | undefined {
  const { operator } = transformation
  const has = operator.kind === 'source' || operator.kind === 'watermarks'
  return has ? operator.watermarks : undefined
}

function needsWatermarks({ transformation }: StreamNode): boolean {
  const { operator } = transformation
  switch (operator.kind) {
    case 'interval-join':
      return true
    case 'window':
    case 'window-join':
    case 'window-co-group': {
      const { assigner } = operator.window
      return assigner.timeDomain === 'event' && assigner.shape.kind !== 'global'
    }
    default:
      return false
  }
}

function endlessSource(
  node: StreamNode,
  checkpointing: CheckpointingMode | undefined,
): readonly GraphWarning[] {
  const { operator } = node.transformation
  if (operator.kind !== 'source' || isBounded(node)) return []
  const warnings: GraphWarning[] = []
  if (checkpointing === undefined) {
    warnings.push({
      code: 'WEIR_CHECKPOINTS_OFF',
      message: `${place(node)} never ends and no checkpoints are taken: a failure loses all`,
      next: 'set spec.checkpoint.interval',
      operator: node.operatorId,
    })
  }
  if (operator.watermarks.makeGenerator !== undefined && operator.watermarks.idlenessMs === 0) {
    warnings.push({
      code: 'WEIR_IDLENESS_OFF',
      message: `a silent split of source ${place(node)} would hold back event time for ever`,
      next: 'give its watermark strategy an idleness, such as .idleness("1m")',
      operator: node.operatorId,
    })
  }
  return warnings
}

function unusedOutputs(stream: StreamGraph): readonly GraphWarning[] {
  const used = new Set(stream.nodes.flatMap(node => node.inputs.map(input => input.from)))
  return stream.nodes
    .filter(node => node.transformation.operator.kind !== 'sink' && !used.has(node))
    .map(node => ({
      code: 'WEIR_OUTPUT_UNUSED',
      message: `nobody reads the results of ${place(node)}`,
      next: 'write them with .to(sink), or leave the operator out',
      operator: node.operatorId,
    }))
}

function unreadArguments({ pipeline }: StreamGraph): readonly GraphWarning[] {
  const known = pipeline.knownArguments.join(', ') || 'none'
  return pipeline.unreadArguments.map(argument => {
    const meant = closestName(argument, pipeline.knownArguments)
    return {
      code: 'WEIR_ARGUMENT_UNREAD',
      message: `the job never reads its argument ${argument}`,
      next: meant === undefined ? `remove it: the job reads ${known}` : `did you mean ${meant}?`,
      operator: undefined,
    }
  })
}
