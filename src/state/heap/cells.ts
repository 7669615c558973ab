/** What an entry of a list state or a map state holds. */
import { ByteWriter } from '../../common/bytes.ts'
import { flatten } from '../../schema/flatten.ts'
import type { Type } from '../../schema/type.ts'

/** A list of one key; `times[i]` belongs to `values[i]`, `undefined` without TTL. */
export interface ListCell {
  values: unknown[]
  times: number[] | undefined
}

/** What a map entry is found by: primitives as they are, anything else by its bytes. */
export type MapKey = string | number | bigint | boolean | null | undefined

export interface MapItem {
  readonly key: unknown
  value: unknown
  /** When it was last renewed; NO_TIME without TTL. */
  time: number
}

/** A map of one key, in the order of insertion. */
export type MapCell = Map<MapKey, MapItem>

const ESCAPE = '\u0000'
const scratch = new ByteWriter()

/** The {@link MapKey} of a user's key; equal for keys of equal value. */
export function foldMapKey(key: unknown, type: Type<unknown>): MapKey {
  switch (typeof key) {
    case 'string':
      return key.charCodeAt(0) === 0 ? `${ESCAPE}s${key}` : key
    case 'object':
      if (key === null) return null
      scratch.clear()
      type.write(scratch, key)
      return `${ESCAPE}o${scratch.view().toString('latin1')}`
    default:
      return key as MapKey
  }
}

/** The same key as the cell may keep it: no piece of a larger text. */
export function ownMapKey(key: MapKey): MapKey {
  return typeof key === 'string' ? flatten(key) : key
}
