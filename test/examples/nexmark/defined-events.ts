/**
 * The Nexmark events straight from their definition, number by number: written without a look at
 * the generator that jobs use, to hold that against it.
 */
export interface DefinedEvent {
  readonly [field: string]: number | string
}

const BASE = 1_700_000_000_000
const FIRST = [
  'Peter',
  'Paul',
  'Luke',
  'John',
  'Saul',
  'Vicky',
  'Kate',
  'Julie',
  'Sarah',
  'Deiter',
  'Walter',
]
const LAST = [
  'Shultz',
  'Abrams',
  'Spencer',
  'White',
  'Bartels',
  'Walton',
  'Smith',
  'Jones',
  'Noris',
]
const CITIES = [
  'Phoenix',
  'Los Angeles',
  'San Francisco',
  'Boise',
  'Portland',
  'Bend',
  'Redmond',
  'Seattle',
  'Kent',
  'Cheyenne',
]
const STATES = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY']
const HOT_CHANNELS = ['Google', 'Facebook', 'Baidu', 'Apple']

function mix(start: number): number {
  let x = start
  x ^= x >>> 16
  x = Math.imul(x, 0x85ebca6b)
  x ^= x >>> 13
  x = Math.imul(x, 0xc2b2ae35)
  x ^= x >>> 16
  return x >>> 0
}

const hash = (n: number, salt: number): number =>
  mix((Math.imul(n | 0, 0x9e3779b1) + Math.imul(salt, 0x85ebca77)) | 0)
const random = (n: number, salt: number, below: number): number => hash(n, salt) % below
const pick = (list: readonly string[], n: number, salt: number): string =>
  list[random(n, salt, list.length)] as string
const digits = (n: number, salt: number): string => String(random(n, salt, 10_000)).padStart(4, '0')

function letters(number: number, length: number): string {
  let text = ''
  for (let rest = number; text.length < length; rest = Math.floor(rest / 26)) {
    text += String.fromCharCode(97 + (rest % 26))
  }
  return text
}

function price(n: number, exponentSalt: number, mantissaSalt: number): number {
  const power = 2 ** (7 + random(n, exponentSalt, 20))
  return power + (hash(n, mantissaSalt) % power)
}

export function definedEvents(count: number, rate: number): readonly DefinedEvent[] {
  return Array.from({ length: count }, (_, n) => definedEvent(n, rate))
}

function definedEvent(n: number, rate: number): DefinedEvent {
  const epoch = Math.floor(n / 50)
  const rest = n % 50
  const dateTime = BASE + Math.floor((n * 1_000) / rate)
  const text = (salt: number, length: number): string => letters(hash(n, salt), length)
  const person = (salt: number): number => {
    const active = Math.min(epoch + 1, 1_000)
    return epoch + 1 - active + random(n, salt, active + 10)
  }
  if (rest === 0) {
    return {
      n,
      kind: 'person',
      id: 1_000 + epoch,
      name: `${pick(FIRST, n, 1)} ${pick(LAST, n, 2)}`,
      emailAddress: `${text(3, 7)}@${text(4, 5)}.com`,
      creditCard: [5, 6, 7, 8].map(salt => digits(n, salt)).join(' '),
      city: pick(CITIES, n, 9),
      state: pick(STATES, n, 10),
      dateTime,
      extra: text(11, 7),
    }
  }
  if (rest <= 3) {
    const initialBid = price(n, 23, 24)
    const horizon = Math.max(1, 2 * Math.floor(1_667_000 / rate))
    return {
      n,
      kind: 'auction',
      id: 1_000 + 3 * epoch + rest - 1,
      itemName: text(20, 6),
      description: `${text(21, 7)} ${text(22, 7)}`,
      initialBid,
      reserve: initialBid + price(n, 25, 26),
      dateTime,
      expires: dateTime + 1 + random(n, 27, horizon),
      seller: 1_000 + (random(n, 28, 4) > 0 ? Math.floor(epoch / 100) * 100 : person(29)),
      category: 10 + random(n, 30, 5),
      extra: text(31, 7),
    }
  }
  const last = 3 * epoch + 2
  const least = Math.max(last - 100, 0)
  const isHot = random(n, 40, 2) > 0
  return {
    n,
    kind: 'bid',
    auction:
      1_000 + (isHot ? Math.floor(last / 100) * 100 : least + random(n, 41, last - least + 11)),
    bidder: 1_000 + (random(n, 42, 4) > 0 ? Math.floor(epoch / 100) * 100 + 1 : person(43)),
    price: price(n, 44, 45),
    channel: random(n, 46, 2) > 0 ? pick(HOT_CHANNELS, n, 47) : `channel-${random(n, 47, 10_000)}`,
    url: `https://weir.test/${text(48, 5)}/item?q=${random(n, 48, 1_000)}`,
    dateTime,
    extra: text(49, 7),
  }
}

export function definedWords(count: number): readonly string[] {
  return Array.from({ length: count }, (_, n) => `word${random(n, 60, 100) * random(n, 61, 100)}`)
}
