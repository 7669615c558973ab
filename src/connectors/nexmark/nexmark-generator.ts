/**
 * Makes event n of the benchmark, a function of n and the rate alone. The formulas are fixed: other
 * engines' results for the same numbers are known, so not one bit may differ.
 */
import type { NexmarkAuction, NexmarkBid, NexmarkEvent, NexmarkPerson } from './nexmark-events.ts'
import {
  hash,
  letters5,
  letters6,
  letters7,
  numberPart,
  saltPart,
  textTable,
  urlOf,
} from './nexmark-hash.ts'

/** The time of event 0. */
const NEXMARK_START_MS = 1_700_000_000_000
/** Of each 50 events, the first is a person, three are auctions, the others bids. */
const EPOCH_EVENTS = 50
const BIDS_PER_EPOCH = 46
const FIRST_BID = 4
const FIRST_ID = 1_000
/** How far back people and auctions are still active. */
const ACTIVE_PEOPLE = 1_000
const ACTIVE_AUCTIONS = 100
const HOT_STEP = 100
/** Ids may be picked this far ahead of the newest: a join must bear that. */
const PEOPLE_AHEAD = 10
const AUCTIONS_AHEAD = 11
const FIRST_CATEGORY = 10

const FIRST_NAMES = [
  ...['Peter', 'Paul', 'Luke', 'John', 'Saul', 'Vicky'],
  ...['Kate', 'Julie', 'Sarah', 'Deiter', 'Walter'],
]
const LAST_NAMES = [
  ...['Shultz', 'Abrams', 'Spencer', 'White', 'Bartels'],
  ...['Walton', 'Smith', 'Jones', 'Noris'],
]
const CITIES = [
  ...['Phoenix', 'Los Angeles', 'San Francisco', 'Boise', 'Portland'],
  ...['Bend', 'Redmond', 'Seattle', 'Kent', 'Cheyenne'],
]
const STATES = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY']
const CHANNELS = textTable([...new Array(10_000).keys()], n => `channel-${n}`)
const DIGITS_4 = textTable([...new Array(10_000).keys()], n => String(n).padStart(4, '0'))
const HOT_CHANNELS = ['Google', 'Facebook', 'Baidu', 'Apple']

/** Salts by purpose, in the form that `hash` takes. */
const SALT = Array.from({ length: 32 }, (_, salt) => saltPart(salt))
const [S40, S41, S42, S43] = [saltPart(40), saltPart(41), saltPart(42), saltPart(43)]
const [S44, S45, S46, S47] = [saltPart(44), saltPart(45), saltPart(46), saltPart(47)]
const [S48, S49, S60, S61] = [saltPart(48), saltPart(49), saltPart(60), saltPart(61)]

/** The events at one rate. Its methods may be passed on as functions. */
export class NexmarkGenerator {
  readonly #rate: number
  readonly #horizonMs: number

  /** `rate`: events per second of event time. */
  constructor(rate: number) {
    this.#rate = rate
    this.#horizonMs = Math.max(1, 2 * Math.floor(1_667_000 / rate))
  }

  /** The event number `n`, from 0. */
  readonly eventAt = (n: number): NexmarkEvent => {
    const epoch = Math.floor(n / EPOCH_EVENTS)
    const place = n - epoch * EPOCH_EVENTS
    const dateTime = NEXMARK_START_MS + Math.floor((n * 1_000) / this.#rate)
    if (place >= FIRST_BID) return bidOf(n, epoch, dateTime)
    if (place === 0) return personOf(n, epoch, dateTime)
    return auctionOf({ n, epoch, place, dateTime, horizonMs: this.#horizonMs })
  }

  /** The m-th bid, from 0, of the events. */
  readonly bidAt = (m: number): NexmarkBid => {
    const epoch = Math.floor(m / BIDS_PER_EPOCH)
    const n = epoch * EPOCH_EVENTS + FIRST_BID + (m - epoch * BIDS_PER_EPOCH)
    return bidOf(n, epoch, NEXMARK_START_MS + Math.floor((n * 1_000) / this.#rate))
  }
}

/** Element n of the words: few are frequent, many are rare. */
export function nexmarkWordAt(n: number): string {
  const number = numberPart(n)
  return `word${(hash(number, S60) % 100) * (hash(number, S61) % 100)}`
}

function bidOf(n: number, epoch: number, dateTime: number): NexmarkBid {
  const number = numberPart(n)
  const newest = 3 * epoch + 2
  let auction = FIRST_ID
  if ((hash(number, S40) & 1) !== 0) auction += Math.floor(newest / HOT_STEP) * HOT_STEP
  else {
    const oldest = newest > ACTIVE_AUCTIONS ? newest - ACTIVE_AUCTIONS : 0
    auction += oldest + (hash(number, S41) % (newest - oldest + AUCTIONS_AHEAD))
  }
  let bidder = FIRST_ID
  if ((hash(number, S42) & 3) !== 0) bidder += Math.floor(epoch / HOT_STEP) * HOT_STEP + 1
  else bidder += personPick(epoch, hash(number, S43))
  const channel = hash(number, S47)
  return {
    n,
    kind: 'bid',
    auction,
    bidder,
    price: priceOf(hash(number, S44), hash(number, S45)),
    channel: ((hash(number, S46) & 1) !== 0
      ? HOT_CHANNELS[channel & 3]
      : CHANNELS[channel % 10_000]) as string,
    url: urlOf(hash(number, S48)),
    dateTime,
    extra: letters7(hash(number, S49)),
  }
}

function personOf(n: number, epoch: number, dateTime: number): NexmarkPerson {
  const number = numberPart(n)
  const h = (salt: number): number => hash(number, SALT[salt] as number)
  const card = (salt: number): string => DIGITS_4[h(salt) % 10_000] as string
  return {
    n,
    kind: 'person',
    id: FIRST_ID + epoch,
    name: `${FIRST_NAMES[h(1) % 11]} ${LAST_NAMES[h(2) % 9]}`,
    emailAddress: `${letters7(h(3))}@${letters5(h(4))}.com`,
    creditCard: `${card(5)} ${card(6)} ${card(7)} ${card(8)}`,
    city: CITIES[h(9) % 10] as string,
    state: STATES[h(10) % 6] as string,
    dateTime,
    extra: letters7(h(11)),
  }
}

interface AuctionPlace {
  readonly n: number
  readonly epoch: number
  /** 1, 2 or 3: which auction of its epoch. */
  readonly place: number
  readonly dateTime: number
  readonly horizonMs: number
}

function auctionOf({ n, epoch, place, dateTime, horizonMs }: AuctionPlace): NexmarkAuction {
  const number = numberPart(n)
  const h = (salt: number): number => hash(number, SALT[salt] as number)
  const initialBid = priceOf(h(23), h(24))
  const hotSeller = h(28) % 4 > 0
  return {
    n,
    kind: 'auction',
    id: FIRST_ID + 3 * epoch + (place - 1),
    itemName: letters6(h(20)),
    description: `${letters7(h(21))} ${letters7(h(22))}`,
    initialBid,
    reserve: initialBid + priceOf(h(25), h(26)),
    dateTime,
    expires: dateTime + 1 + (h(27) % horizonMs),
    seller:
      FIRST_ID + (hotSeller ? Math.floor(epoch / HOT_STEP) * HOT_STEP : personPick(epoch, h(29))),
    category: FIRST_CATEGORY + (h(30) % 5),
    extra: letters7(h(31)),
  }
}

/** One of the newest people, counted from 0; now and then one who is not there yet. */
function personPick(epoch: number, hashed: number): number {
  const people = epoch + 1
  const active = Math.min(people, ACTIVE_PEOPLE)
  return people - active + (hashed % (active + PEOPLE_AHEAD))
}

/** From 128 to 2^27 - 1, each power of two as likely as any other. */
function priceOf(exponentHash: number, mantissaHash: number): number {
  const power = 1 << (7 + (exponentHash % 20))
  return power + (mantissaHash & (power - 1))
}
