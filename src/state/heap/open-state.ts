/** Makes the tables, the contents and the handle of a declared state. */
import type { StateDescriptor } from '../../api/state-descriptor.ts'
import { assertNever } from '../../common/assert.ts'
import type { Clock } from '../../common/clock.ts'
import { cloneFunction } from '../../common/clone-function.ts'
import type { Namespaced, StateMeta } from '../keyed-state-backend.ts'
import { NO_TIME } from '../snapshot-format.ts'
import { stateErrors } from '../state-errors.ts'
import { mapKeyTypeOf, valueTypeOf } from '../state-type.ts'
import { Ttl } from '../ttl.ts'
import { type AggregatingOptions, aggregatingHandleClass } from './aggregating-handle.ts'
import { foldMapKey, ownMapKey } from './cells.ts'
import { type EntryContents, ListContents, MapContents, ScalarContents } from './contents.ts'
import type { CurrentKey } from './current-key.ts'
import { EntryCursor } from './entry-cursor.ts'
import { listHandleClass } from './list-handle.ts'
import { makeObjectCells, makeValueCells } from './make-value-cells.ts'
import { type MapOptions, mapHandleClass } from './map-handle.ts'
import { reducingHandleClass } from './reducing-handle.ts'
import { type HandlePlace, stateHandleClass } from './state-handle.ts'
import { StateTables } from './state-tables.ts'
import { TtlListState } from './ttl-list-state.ts'
import { TtlMapState } from './ttl-map-state.ts'
import { TtlAggregatingState, TtlReducingState, TtlValueState } from './ttl-scalar-states.ts'
import { TtlSweep } from './ttl-sweep.ts'
import type { ValueCells } from './value-cells.ts'
import { valueHandleClass } from './value-handle.ts'
import { makeKeeper } from './value-keeper.ts'

export interface OpenOptions {
  readonly operatorName: string
  readonly name: string
  readonly layout: 'key' | 'namespace'
  readonly current: CurrentKey
  readonly clock: Pick<Clock, 'now'>
  /** Whether expired entries are dropped between snapshots. */
  readonly sweepsExpired: boolean
  /** See `HeapBackendOptions`. */
  readonly encodedFrom?: number | undefined
  checkOwned(hash: number): void
}

/** A state as its backend sees it. */
export interface OpenState {
  readonly meta: StateMeta
  readonly layout: 'key' | 'namespace'
  readonly descriptor: StateDescriptor
  readonly tables: StateTables
  readonly cells: ValueCells
  readonly contents: EntryContents
  readonly sweep: TtlSweep
  readonly cursor: EntryCursor
  readonly handle: Namespaced
}

export function openState(descriptor: StateDescriptor, options: OpenOptions): OpenState {
  const ttl = descriptor.ttl === undefined ? undefined : new Ttl(descriptor.ttl, options.clock)
  const cells = cellsOf(descriptor, options.encodedFrom)
  const contents = contentsOf(descriptor, cells, ttl)
  const tables = new StateTables(
    {
      width: cells.width,
      makeValues: slots => cells.makeValues(slots),
      ...(cells.makeArena === undefined ? {} : { makeArena: cells.makeArena }),
      ...(cells.encode === undefined ? {} : { encode: cells.encode }),
      timed: ttl !== undefined && contents instanceof ScalarContents,
      checkOwned: options.checkOwned,
    },
    options.layout,
  )
  const sweep = new TtlSweep(contents, options.sweepsExpired && ttl !== undefined)
  const cursor = new EntryCursor(tables, options.current)
  const place = { cursor, cells }
  const handle =
    ttl === undefined
      ? makeHandle(descriptor, place, options)
      : makeTtlHandle(descriptor, place, { ...options, ttl, sweep })
  const meta = metaOf(options.name, descriptor)
  const { layout } = options
  return { meta, layout, descriptor, tables, cells, contents, sweep, cursor, handle }
}

/** What a snapshot says about a state of this declaration. */
function metaOf(name: string, descriptor: StateDescriptor): StateMeta {
  return {
    name,
    kind: descriptor.kind,
    schema: valueTypeOf(descriptor).schema,
    ...(descriptor.kind === 'map' ? { keySchema: mapKeyTypeOf(descriptor).schema } : {}),
    version: descriptor.version ?? 0,
    ttl: descriptor.ttl !== undefined,
  }
}

function cellsOf(descriptor: StateDescriptor, encodedFrom: number | undefined): ValueCells {
  if (descriptor.kind === 'list' || descriptor.kind === 'map') return makeObjectCells()
  return makeValueCells(valueTypeOf(descriptor), encodedFrom)
}

function contentsOf(
  descriptor: StateDescriptor,
  cells: ValueCells,
  ttl: Ttl | undefined,
): EntryContents {
  const type = valueTypeOf(descriptor)
  switch (descriptor.kind) {
    case 'list':
      return new ListContents(cells, type, ttl)
    case 'map':
      return new MapContents(cells, { keyType: mapKeyTypeOf(descriptor), type, ttl })
    default:
      return new ScalarContents(cells, type, ttl)
  }
}

function makeHandle(
  descriptor: StateDescriptor,
  place: HandlePlace,
  options: OpenOptions,
): Namespaced {
  const keep = makeKeeper(valueTypeOf(descriptor))
  const Base = cloneFunction(stateHandleClass)()
  switch (descriptor.kind) {
    case 'value':
      return new (cloneFunction(valueHandleClass)(Base))(place)
    case 'list':
      return new (cloneFunction(listHandleClass)(Base))(place, keep)
    case 'map':
      return new (cloneFunction(mapHandleClass)(Base))(place, mapOptions(descriptor))
    case 'reducing':
      return new (cloneFunction(reducingHandleClass)(Base))(place, descriptor)
    case 'aggregating':
      return new (cloneFunction(aggregatingHandleClass)(Base))(
        place,
        aggregatingOptions(descriptor, options),
      )
    default:
      return assertNever(descriptor)
  }
}

function makeTtlHandle(
  descriptor: StateDescriptor,
  place: HandlePlace,
  options: OpenOptions & { readonly ttl: Ttl; readonly sweep: TtlSweep },
): Namespaced {
  const keep = makeKeeper(valueTypeOf(descriptor))
  const { ttl, sweep } = options
  switch (descriptor.kind) {
    case 'value':
      return new TtlValueState(place, { ttl, sweep })
    case 'list':
      return new TtlListState(place, { ttl, sweep, keep })
    case 'map':
      return new TtlMapState(place, { ttl, sweep, ...mapOptions(descriptor) })
    case 'reducing':
      return new TtlReducingState(place, { ttl, sweep, descriptor })
    case 'aggregating':
      return new TtlAggregatingState(place, {
        ttl,
        sweep,
        ...aggregatingOptions(descriptor, options),
      })
    default:
      return assertNever(descriptor)
  }
}

function mapOptions(descriptor: Extract<StateDescriptor, { kind: 'map' }>): MapOptions {
  const keyType = mapKeyTypeOf(descriptor)
  return {
    keep: makeKeeper(valueTypeOf(descriptor)),
    fold: key => foldMapKey(key, keyType),
    own: ownMapKey,
    noTime: NO_TIME,
  }
}

function aggregatingOptions(
  descriptor: Extract<StateDescriptor, { kind: 'aggregating' }>,
  options: OpenOptions,
): AggregatingOptions {
  const { operatorName: operator, name: state } = options
  return {
    aggregate: descriptor.aggregate,
    refuseMerge: () => {
      throw stateErrors.WEIR_STATE_UNMERGEABLE({ operator, state })
    },
  }
}
