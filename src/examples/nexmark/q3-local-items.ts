/** q3: who sells what in three states. A join without bounds in time: both sides wait in state. */
import { type Infer, type KeyedCoProcessFunction, listState, record, valueState, z } from 'weir'

import type { NexmarkQuery } from './nexmark-query.ts'

const Seller = record({ id: z.int32(), name: z.string(), city: z.string(), state: z.string() })
type Seller = Infer<typeof Seller>

const Item = record({ seller: z.int32(), id: z.int32() })
type Item = Infer<typeof Item>

const LocalItem = record({ name: z.string(), city: z.string(), state: z.string(), id: z.int32() })
type LocalItem = Infer<typeof LocalItem>

const STATES = new Set(['OR', 'ID', 'CA'])
const CATEGORY = 10

const state = { seller: valueState(Seller), waiting: listState(z.int32()) }

/** An item waits until its seller is known; a seller stays for ever. */
const joinSellers: KeyedCoProcessFunction<number, Seller, Item, LocalItem, typeof state> = {
  output: LocalItem,
  state,
  processElement1(seller, context, out) {
    context.state.seller.update(seller)
    for (const id of context.state.waiting.get()) out.collect(localItem(seller, id))
    context.state.waiting.clear()
  },
  processElement2(item, context, out) {
    const seller = context.state.seller.value()
    if (seller === undefined) context.state.waiting.add(item.id)
    else out.collect(localItem(seller, item.id))
  },
}

function localItem(seller: Seller, id: number): LocalItem {
  return { name: seller.name, city: seller.city, state: seller.state, id }
}

export const q3: NexmarkQuery = {
  name: 'q3',
  summary: 'joins auctions of one category with sellers of three states',
  build(events) {
    const sellers = events
      .flatMap<Seller>((event, out) => {
        if (event.kind !== 'person' || !STATES.has(event.state)) return
        out.collect({ id: event.id, name: event.name, city: event.city, state: event.state })
      })
      .returns(Seller)
    const items = events
      .flatMap<Item>((event, out) => {
        if (event.kind !== 'auction' || event.category !== CATEGORY) return
        out.collect({ seller: event.seller, id: event.id })
      })
      .returns(Item)
    return sellers
      .keyBy(seller => seller.id)
      .connect(items.keyBy(item => item.seller))
      .process(joinSellers)
      .uid('join-sellers')
  },
}
