/**
 * Operator state: small lists and broadcast maps, kept as plain objects and written whole.
 *
 * Owns        the values, and what was restored and is not open yet.
 * Leaves out  redistribution (`../redistribution.ts`): it is given what this subtask gets.
 *
 * Invariants
 *  O1  Nothing is restored after a state was opened.
 *  O2  A name stands for one state: the same kind whenever it is opened.
 */
import type { ListState, MapState } from '../../api/state.ts'
import { assert } from '../../common/assert.ts'
import { ByteReader, ByteWriter } from '../../common/bytes.ts'
import { compareSchemas, migratingType } from '../../schema/compatibility.ts'
import { schemaName } from '../../schema/schema-name.ts'
import type { SchemaNode, Type } from '../../schema/type.ts'
import type {
  OperatorStateBackend,
  OperatorStateSnapshot,
  Redistribution,
} from '../operator-state-backend.ts'
import { stateErrors } from '../state-errors.ts'
import { BroadcastMap } from './broadcast-map.ts'
import { OperatorList } from './operator-list.ts'

/** `operatorName` is for messages. */
export function makeOperatorStateBackend(operatorName: string): OperatorStateBackend {
  return new HeapOperatorState(operatorName)
}

/** An open state: its handle, and how it is written. */
interface OpenOperatorState {
  readonly redistribution: Redistribution
  readonly handle: OperatorList | BroadcastMap
  readonly schema: SchemaNode
  readonly keySchema?: SchemaNode
}

export class HeapOperatorState implements OperatorStateBackend {
  readonly #operatorName: string
  readonly #open = new Map<string, OpenOperatorState>()
  readonly #restored = new Map<string, OperatorStateSnapshot>()

  constructor(operatorName: string) {
    this.#operatorName = operatorName
  }

  listState<T>(name: string, redistribution: 'split' | 'union', type: Type<T>): ListState<T> {
    const state = this.#state(name, redistribution, () => {
      const list = new OperatorList(type as Type<unknown>)
      this.#load(name, { redistribution, type: type as Type<unknown> }, (input, stored) => {
        list.add(stored.read(input))
      })
      return { redistribution, handle: list, schema: type.schema }
    })
    return state.handle as ListState<unknown> as ListState<T>
  }

  broadcastState<K, V>(name: string, keyType: Type<K>, valueType: Type<V>): MapState<K, V> {
    const state = this.#state(name, 'broadcast', () => {
      const map = new BroadcastMap(keyType as Type<unknown>, valueType as Type<unknown>)
      this.#checkKeys(name, keyType as Type<unknown>)
      const as = { redistribution: 'broadcast', type: valueType as Type<unknown> } as const
      this.#load(name, as, (input, stored) => {
        map.put(keyType.read(input), stored.read(input))
      })
      return {
        redistribution: 'broadcast',
        handle: map,
        schema: valueType.schema,
        keySchema: keyType.schema,
      }
    })
    return state.handle as MapState<unknown, unknown> as MapState<K, V>
  }

  snapshot(): readonly OperatorStateSnapshot[] {
    return Array.from(this.#open, ([name, { handle, ...rest }]) => {
      try {
        return { name, ...rest, items: handle.write(new ByteWriter()) }
      } catch (cause) {
        const operator = this.#operatorName
        const reason = cause instanceof Error ? cause.message : String(cause)
        throw stateErrors.WEIR_STATE_UNSERIALIZABLE({ operator, state: name, reason }, cause)
      }
    })
  }

  restore(states: readonly OperatorStateSnapshot[]): void {
    assert(this.#open.size === 0, 'O1: restore comes before the first state')
    for (const state of states) this.#restored.set(state.name, state)
  }

  #state(
    name: string,
    redistribution: Redistribution,
    make: () => OpenOperatorState,
  ): OpenOperatorState {
    let state = this.#open.get(name)
    if (state === undefined) {
      state = make()
      this.#open.set(name, state)
    }
    if (state.redistribution !== redistribution) {
      throw stateErrors.WEIR_STATE_REDECLARED({
        operator: this.#operatorName,
        state: name,
        first: `${state.redistribution} state`,
        second: `${redistribution} state`,
      })
    }
    return state
  }

  /** Reads the restored items of a name, if any. A list may change between split and union. */
  #load(
    name: string,
    { redistribution, type }: { redistribution: Redistribution; type: Type<unknown> },
    read: (input: ByteReader, stored: Type<unknown>) => void,
  ): void {
    const restored = this.#restored.get(name)
    if (restored === undefined) return
    const wasMap = restored.redistribution === 'broadcast'
    if (wasMap !== (redistribution === 'broadcast')) {
      this.#refuse(restored, type, { path: '', reason: 'it was another kind of state' })
    }
    const comparison = compareSchemas(restored.schema as SchemaNode, type.schema)
    if (comparison.kind === 'incompatible') this.#refuse(restored, type, comparison)
    const stored = migratingType(restored.schema as SchemaNode, type)
    for (const item of restored.items) read(new ByteReader(item), stored)
    this.#restored.delete(name)
  }

  #checkKeys(name: string, keyType: Type<unknown>): void {
    const restored = this.#restored.get(name)
    if (restored?.keySchema === undefined) return
    const stored = restored.keySchema as SchemaNode
    const keys = compareSchemas(stored, keyType.schema, { isKey: true })
    if (keys.kind === 'incompatible') this.#refuse(restored, keyType, keys)
  }

  #refuse(
    restored: OperatorStateSnapshot,
    type: Type<unknown>,
    { path, reason }: { readonly path: string; readonly reason: string },
  ): never {
    throw stateErrors.WEIR_STATE_INCOMPATIBLE({
      operator: this.#operatorName,
      state: restored.name,
      field: path,
      reason,
      stored: `${restored.redistribution} of ${schemaName(restored.schema as SchemaNode)}`,
      declared: type.name,
    })
  }
}
