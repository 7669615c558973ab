/** The sessions of one key as the session operator keeps them: bounds and accumulator together. */
import type { Type } from '../../../schema/type.ts'

export interface OpenSession {
  start: number
  end: number
  /** False once it has fired and waits, within the allowed lateness, for more. */
  isPending: boolean
  accumulator: unknown
}

/** They neither overlap nor touch; in no order. */
export type SessionList = OpenSession[]

export function sessionListType(accumulator: Type<unknown>): Type<SessionList> {
  return {
    name: `{start: float64, end: float64, isPending: boolean, accumulator: ${accumulator.name}}[]`,
    schema: {
      kind: 'array',
      of: {
        kind: 'object',
        fields: [
          { name: 'start', type: { kind: 'float64' } },
          { name: 'end', type: { kind: 'float64' } },
          { name: 'isPending', type: { kind: 'boolean' } },
          { name: 'accumulator', type: accumulator.schema },
        ],
      },
    },
    storage: 'object',
    write(out, sessions) {
      out.writeVarint(sessions.length)
      for (const session of sessions) {
        out.writeFloat64(session.start)
        out.writeFloat64(session.end)
        out.writeUint8(session.isPending ? 1 : 0)
        accumulator.write(out, session.accumulator)
      }
    },
    read(input) {
      const sessions: SessionList = []
      for (let left = input.readVarint(); left > 0; left--) {
        sessions.push({
          start: input.readFloat64(),
          end: input.readFloat64(),
          isPending: input.readUint8() === 1,
          accumulator: accumulator.read(input),
        })
      }
      return sessions
    },
  }
}
