/**
 * The states that a job's operators declare, by operator: shown by a plan, and checked against a
 * snapshot before anything starts. States that an operator keeps for itself have names that begin
 * with `$`; those that hold the job's records or accumulators are listed beside the user's own.
 */
import type { BroadcastStateDescriptors, OperatorStateDescriptors } from '../api/functions.ts'
import {
  aggregatingState,
  listState,
  mapState,
  reducingState,
  type StateDescriptor,
  type StateDescriptors,
} from '../api/state-descriptor.ts'
import type { OperatorSpec } from '../api/transformation.ts'
import { arrayType } from '../schema/array-type.ts'
import { generalType } from '../schema/general-type.ts'
import { timestampedType } from '../schema/timestamped-type.ts'
import type { Schema, Type } from '../schema/type.ts'
import { typeOf } from '../schema/type-of.ts'
import { z } from '../schema/z.ts'
import { type JobGraph, operatorsOf } from './job-graph.ts'
import { stateReason } from './state-reason.ts'

export interface PlannedState {
  /** As in the snapshot. */
  readonly name: string
  readonly kind: StateDescriptor['kind'] | 'split-list' | 'union-list' | 'broadcast-map'
  /** Of the value, the item or the accumulator. */
  readonly type: Type<unknown>
  /** Of the keys of a map. */
  readonly keyType: Type<unknown> | undefined
  readonly version: number
  readonly ttl: boolean
}

export interface PlannedOperatorStates {
  readonly uid: string
  readonly operator: string
  /** `file:line` in the job. */
  readonly location: string
  /** Keyed states by their names in the snapshot. */
  readonly keyed: StateDescriptors
  /** All states, keyed ones first. */
  readonly states: readonly PlannedState[]
}

/** An operator with the types of its inputs. */
export interface StatefulOperator {
  readonly spec: OperatorSpec
  readonly inputTypes: readonly Type<unknown>[]
}

/** Every operator with state, in the graph's order. Throws WEIR_SCHEMA_UNSUPPORTED. */
export function plannedStates(graph: JobGraph): readonly PlannedOperatorStates[] {
  return operatorsOf(graph)
    .filter(operator => stateReason(operator.spec) !== undefined)
    .map(operator => ({
      uid: operator.operatorId,
      operator: operator.name,
      location: operator.location,
      keyed: keyedStatesOf(operator),
      states: plannedStatesOf(operator),
    }))
}

/** The states of one operator, keyed ones first. Throws WEIR_SCHEMA_UNSUPPORTED. */
export function plannedStatesOf(operator: StatefulOperator): readonly PlannedState[] {
  const keyed = Object.entries(keyedStatesOf(operator)).map(([name, descriptor]) => ({
    name,
    kind: descriptor.kind,
    type: typeOrGeneral(descriptor.type),
    keyType: descriptor.kind === 'map' ? typeOrGeneral(descriptor.keyType) : undefined,
    version: descriptor.version ?? 0,
    ttl: descriptor.ttl !== undefined,
  }))
  return [...keyed, ...operatorStatesOf(operator)]
}

/**
 * The keyed states of one operator, under the names that they have in snapshots. What else a
 * snapshot holds under names that begin with `$` is bookkeeping of the operator (timers, bounds of
 * sessions) and no business of a check.
 */
export function keyedStatesOf({ spec, inputTypes }: StatefulOperator): StateDescriptors {
  const [first = generalType, second = generalType] = inputTypes
  switch (spec.kind) {
    case 'keyed-process':
    case 'keyed-co-process':
    case 'keyed-broadcast-process':
      return spec.fn.state ?? {}
    case 'keyed-reduce':
      return { reduced: reducingState(spec.reduce, first) }
    case 'keyed-aggregate':
      return { aggregated: aggregatingState(spec.aggregate) }
    case 'window':
      return {
        $contents: contentsOf(spec, first),
        ...prefixed('$trigger.', triggerStates(spec)),
        ...prefixed('window.', spec.fn?.windowState),
        ...prefixed('global.', spec.fn?.globalState),
      }
    case 'window-join':
    case 'window-co-group':
      return {
        $left: listState(first),
        $right: listState(second),
        ...prefixed('$trigger.', triggerStates(spec)),
      }
    case 'interval-join': {
      const time = typeOf(z.number())
      return { $left: mapState(time, arrayType(first)), $right: mapState(time, arrayType(second)) }
    }
    default:
      return {}
  }
}

type Kind<K extends OperatorSpec['kind']> = Extract<OperatorSpec, { readonly kind: K }>

function contentsOf({ contents, window }: Kind<'window'>, element: Type<unknown>): StateDescriptor {
  if (window.evictor !== undefined) return listState(timestampedType(element))
  switch (contents.kind) {
    case 'elements':
      return listState(element)
    case 'reduce':
      return reducingState(contents.reduce, element)
    case 'aggregate':
      return aggregatingState(contents.aggregate)
  }
}

function triggerStates({ window }: Pick<Kind<'window'>, 'window'>): StateDescriptors {
  return (window.trigger ?? window.assigner.defaultTrigger()).state ?? {}
}

function prefixed(prefix: string, states: StateDescriptors = {}): StateDescriptors {
  return Object.fromEntries(Object.entries(states).map(([name, state]) => [prefix + name, state]))
}

function operatorStatesOf({ spec, inputTypes }: StatefulOperator): readonly PlannedState[] {
  switch (spec.kind) {
    case 'process':
    case 'co-process':
      return listStates(spec.fn.operatorState)
    case 'broadcast-process':
    case 'keyed-broadcast-process':
      return broadcastStates(spec.fn.broadcast)
    case 'async': {
      const [record = generalType] = inputTypes
      return [unversioned('$in-flight', 'split-list', timestampedType(record))]
    }
    default:
      return []
  }
}

function listStates(declared: OperatorStateDescriptors = {}): readonly PlannedState[] {
  return Object.entries(declared).map(([name, { redistribution, type }]) =>
    unversioned(name, `${redistribution}-list`, typeOrGeneral(type)),
  )
}

function broadcastStates(declared: BroadcastStateDescriptors): readonly PlannedState[] {
  return Object.entries(declared).map(([name, { keyType, type }]) => ({
    ...unversioned(name, 'broadcast-map', typeOrGeneral(type)),
    keyType: typeOrGeneral(keyType),
  }))
}

function unversioned(name: string, kind: PlannedState['kind'], type: Type<unknown>): PlannedState {
  return { name, kind, type, keyType: undefined, version: 0, ttl: false }
}

function typeOrGeneral(schema: Schema<unknown> | undefined): Type<unknown> {
  return schema === undefined ? generalType : typeOf(schema)
}
