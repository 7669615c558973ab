/**
 * Operator state that shows in the output: each record takes a number from a dispenser, and no
 * number may be missing or there twice, however often subtasks come and go. Dispensers are split
 * state: after a restore each belongs to one subtask. The names of all are union state: a subtask
 * that has none makes one of a name that was never used.
 */
import { operatorListState, type ProcessContext, type ProcessFunction, z } from 'weir'
import { Row } from './ledger-sink.ts'
import { hashOf, type Ordered } from './ordering-input.ts'

const Dispenser = z.object({ name: z.string(), next: z.int32() })
const Name = z.object({ name: z.string(), generation: z.int32() })

const states = {
  dispensers: operatorListState(Dispenser),
  names: operatorListState(Name, 'union'),
}
type Context = ProcessContext<typeof states>

export const ticketing: ProcessFunction<Ordered, Row, typeof states> = {
  output: Row,
  operatorState: states,
  processElement(one, context, out) {
    const all = openDispensers(context)
    // The least used one: after a rescale to fewer subtasks all are used again.
    const first = all.reduce((least, other) => (other.next < least.next ? other : least))
    const { name, next } = first
    out.collect({ path: 'tickets', part: name, ordinal: next, hash: hashOf(one) })
    const { dispensers } = context.operatorState
    dispensers.update(all.map(other => (other === first ? { name, next: next + 1 } : other)))
  },
}

function openDispensers(context: Context): readonly { name: string; next: number }[] {
  const { dispensers, names } = context.operatorState
  const own = dispensers.get()
  const known = names.get()
  const mine = known.filter(({ name }) => own.some(dispenser => dispenser.name === name))
  if (own.length > 0) {
    // What others wrote is theirs to keep: else the list would grow with each restore.
    if (mine.length < known.length) names.update(mine)
    return own
  }
  const generation = known.reduce((most, one) => Math.max(most, one.generation), 0) + 1
  const name = `${context.runtime.subtaskIndex}-${generation}`
  names.update([{ name, generation }])
  dispensers.update([{ name, next: 0 }])
  return dispensers.get()
}
