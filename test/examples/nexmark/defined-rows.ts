/** The rows of every Nexmark query by brute force over all events at once: loops, no engine. */
import { type DefinedEvent, definedWords } from './defined-events.ts'

type Row = Readonly<Record<string, number | string>>

interface Events {
  readonly persons: readonly DefinedEvent[]
  readonly auctions: readonly DefinedEvent[]
  readonly bids: readonly DefinedEvent[]
}

const num = (event: DefinedEvent, field: string): number => event[field] as number

/** As lines, sorted. Words are counted instead of events. */
export function definedRows(query: string, events: readonly DefinedEvent[]): readonly string[] {
  const rows = query === 'wordcount' ? wordcount(events.length) : rowsOf(query, events)
  return rows.map(row => JSON.stringify(row)).toSorted()
}

function rowsOf(query: string, events: readonly DefinedEvent[]): readonly Row[] {
  const of = (kind: string): DefinedEvent[] => events.filter(event => event.kind === kind)
  const found = queries[query]
  if (found === undefined) throw new Error(`no rows are defined for ${query}`)
  return found({ persons: of('person'), auctions: of('auction'), bids: of('bid') })
}

const queries: Readonly<Record<string, (events: Events) => readonly Row[]>> = {
  q0: ({ bids }) => bids.map(bid => pickFields(bid, BID_ROW)),
  q1: ({ bids }) =>
    bids.map(bid => ({
      ...pickFields(bid, BID_ROW),
      price: Number((BigInt(num(bid, 'price')) * 908n) / 1_000n),
    })),
  q2: ({ bids }) =>
    bids
      .filter(bid => num(bid, 'auction') % 123 === 0)
      .map(bid => pickFields(bid, ['auction', 'price'])),
  q3,
  q4,
  q5,
  q7,
  q8,
  q9: winning,
  q11,
  q18,
  q20,
  json,
  cep,
}

const BID_ROW = ['auction', 'bidder', 'price', 'dateTime', 'extra']

function pickFields(event: DefinedEvent, fields: readonly string[]): Row {
  return Object.fromEntries(fields.map(field => [field, event[field] as string | number]))
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => unknown): Map<unknown, T[]> {
  const groups = new Map<unknown, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}

function q3({ persons, auctions }: Events): readonly Row[] {
  const local = persons.filter(({ state }) => ['OR', 'ID', 'CA'].includes(state as string))
  return auctions
    .filter(({ category }) => category === 10)
    .flatMap(({ seller, id }) =>
      local
        .filter(person => person.id === seller)
        .map(({ name, city, state }) => ({ name, city, state, id }) as Row),
    )
}

function winning({ auctions, bids }: Events): readonly Row[] {
  const byAuction = groupBy(bids, bid => bid.auction)
  return auctions.flatMap((auction): Row[] => {
    const [best] = (byAuction.get(auction.id) ?? [])
      .filter(bid => num(bid, 'dateTime') >= num(auction, 'dateTime'))
      .filter(bid => num(bid, 'dateTime') <= num(auction, 'expires'))
      .toSorted(
        (a, b) =>
          num(b, 'price') - num(a, 'price') ||
          num(a, 'dateTime') - num(b, 'dateTime') ||
          num(a, 'n') - num(b, 'n'),
      )
    if (best === undefined) return []
    const { id, category, seller, dateTime: auctionDateTime, expires } = auction
    const { bidder, price, dateTime: bidDateTime } = best
    const row = {
      auction: id,
      category,
      seller,
      auctionDateTime,
      expires,
      bidder,
      price,
      bidDateTime,
    }
    return [row as Row]
  })
}

function q4(events: Events): readonly Row[] {
  const byCategory = groupBy(winning(events), row => row.category)
  return [...byCategory].map(([category, rows]) => {
    const sum = rows.reduce((total, row) => total + (row.price as number), 0)
    return { category, count: rows.length, sum, avg: Math.floor(sum / rows.length) } as Row
  })
}

function q5({ bids }: Events): readonly Row[] {
  const counts = new Map<number, Map<number, number>>()
  for (const bid of bids) {
    const last = Math.floor(num(bid, 'dateTime') / 2_000) * 2_000
    for (const start of [0, 1, 2, 3, 4].map(step => last - step * 2_000)) {
      const ofWindow = counts.get(start) ?? new Map<number, number>()
      counts.set(start, ofWindow)
      ofWindow.set(num(bid, 'auction'), (ofWindow.get(num(bid, 'auction')) ?? 0) + 1)
    }
  }
  return [...counts].flatMap(([windowStart, ofWindow]) => {
    const most = Math.max(...ofWindow.values())
    const windowEnd = windowStart + 10_000
    return [...ofWindow]
      .filter(([, count]) => count === most)
      .map(([auction]) => ({ windowStart, windowEnd, auction, num: most }))
  })
}

const tenSeconds = (event: DefinedEvent): number =>
  Math.floor(num(event, 'dateTime') / 10_000) * 10_000

function q7({ bids }: Events): readonly Row[] {
  return [...groupBy(bids, tenSeconds)].flatMap(([start, ofWindow]) => {
    const most = Math.max(...ofWindow.map(bid => num(bid, 'price')))
    const windowStart = start as number
    return ofWindow
      .filter(({ price }) => price === most)
      .map(bid => ({ windowStart, windowEnd: windowStart + 10_000, ...pickFields(bid, BID_ROW) }))
  })
}

function q8({ persons, auctions }: Events): readonly Row[] {
  return persons.flatMap(person => {
    const windowStart = tenSeconds(person)
    const sells = auctions.some(one => one.seller === person.id && tenSeconds(one) === windowStart)
    const { id, name } = person
    return sells ? [{ id, name, windowStart, windowEnd: windowStart + 10_000 } as Row] : []
  })
}

function q11({ bids }: Events): readonly Row[] {
  return [...groupBy(bids, bid => bid.bidder)].flatMap(([bidder, ofBidder]) => {
    const sessions: { start: number; last: number; count: number }[] = []
    for (const bid of ofBidder) {
      const time = num(bid, 'dateTime')
      const open = sessions.at(-1)
      if (open === undefined || time - open.last > 10_000) {
        sessions.push({ start: time, last: time, count: 1 })
      } else {
        open.last = time
        open.count++
      }
    }
    return sessions.map(
      ({ start, last, count }) => ({ bidder, count, start, end: last + 10_000 }) as Row,
    )
  })
}

function q18({ bids }: Events): readonly Row[] {
  const last = new Map(bids.map(bid => [`${bid.auction} ${bid.bidder}`, bid]))
  const fields = ['auction', 'bidder', 'price', 'channel', 'url', 'dateTime', 'extra']
  return [...last.values()].map(bid => pickFields(bid, fields))
}

function q20({ auctions, bids }: Events): readonly Row[] {
  const known = new Map(auctions.filter(one => one.category === 10).map(one => [one.id, one]))
  return bids.flatMap((bid): Row[] => {
    const auction = known.get(bid.auction as number)
    if (auction === undefined) return []
    const row = {
      ...pickFields(bid, ['auction', 'bidder', 'price', 'channel', 'url']),
      bidDateTime: bid.dateTime,
      bidExtra: bid.extra,
      ...pickFields(auction, ['itemName', 'description', 'initialBid', 'reserve']),
      auctionDateTime: auction.dateTime,
      ...pickFields(auction, ['expires', 'seller', 'category']),
      auctionExtra: auction.extra,
    }
    return [row as Row]
  })
}

function wordcount(count: number): readonly Row[] {
  const words = groupBy(definedWords(count), word => word)
  return [...words].map(([word, all]) => ({ word, count: all.length }) as Row)
}

function json({ bids }: Events): readonly Row[] {
  const kept = groupBy(
    bids.filter(bid => num(bid, 'price') >= 1_000),
    bid => bid.auction,
  )
  return [...kept].map(([auction, all]) => {
    const sum = all.reduce((total, bid) => total + num(bid, 'price'), 0)
    return { auction, count: all.length, sum } as Row
  })
}

function cep({ bids }: Events): readonly Row[] {
  return [...groupBy(bids, bid => bid.bidder)].flatMap(([bidder, all]) =>
    all.flatMap((a, index): Row[] => {
      if (num(a, 'price') >= 1_000) return []
      const after = all.slice(index + 1)
      const indexB = after.findIndex(bid => num(bid, 'price') > num(a, 'price'))
      const b = after[indexB]
      const c = after.slice(indexB + 1).find(bid => num(bid, 'price') > num(b ?? a, 'price'))
      if (b === undefined || c === undefined) return []
      if (num(c, 'dateTime') - num(a, 'dateTime') >= 10_000) return []
      const prices = { aPrice: a.price, bPrice: b.price, cPrice: c.price }
      return [{ bidder, a: a.n, b: b.n, c: c.n, ...prices } as Row]
    }),
  )
}
