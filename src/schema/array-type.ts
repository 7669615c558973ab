import type { Type } from './type.ts'

/** The type of a list of values. */
export function arrayType<T>(item: Type<T>): Type<T[]> {
  return {
    name: `${item.name}[]`,
    schema: { kind: 'array', of: item.schema },
    storage: 'object',
    write(out, list) {
      out.writeVarint(list.length)
      for (const value of list) item.write(out, value)
    },
    read(input) {
      const list: T[] = []
      for (let left = input.readVarint(); left > 0; left--) list.push(item.read(input))
      return list
    },
  }
}
