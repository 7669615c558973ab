/** Small readers of JSON bytes. */

/** The end of the white space that begins at `start`. */
export function blankEnd(bytes: Uint8Array, start: number, end: number): number {
  let i = start
  while (i < end) {
    const byte = bytes[i]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break
    i++
  }
  return i
}

/** The end of the digits that begin at `start`. */
export function digitsEnd(bytes: Uint8Array, start: number, end: number): number {
  let i = start
  while (i < end && (bytes[i] as number) >= 0x30 && (bytes[i] as number) <= 0x39) i++
  return i
}

const DAY_MS = 86_400_000

/** `2001-01-01T06:00:00Z` or with `.000`; NaN for anything else, also for dates that are none. */
export function readIsoMillis(bytes: Uint8Array, start: number, end: number): number {
  if (start + 20 > end) return Number.NaN
  const year = digits(bytes, start, 4)
  const month = digits(bytes, start + 5, 2)
  const day = digits(bytes, start + 8, 2)
  const hour = digits(bytes, start + 11, 2)
  const minute = digits(bytes, start + 14, 2)
  const second = digits(bytes, start + 17, 2)
  // -1 for what is no number: each then fails its range.
  const ranged = year >= 0 && month >= 1 && month <= 12 && day >= 1 && hour >= 0 && hour <= 23
  if (!ranged || minute < 0 || minute > 59 || second < 0 || second > 59) return Number.NaN
  if (day > daysOfMonth(year, month)) return Number.NaN
  const punctuated =
    bytes[start + 4] === 0x2d &&
    bytes[start + 7] === 0x2d &&
    bytes[start + 10] === 0x54 &&
    bytes[start + 13] === 0x3a &&
    bytes[start + 16] === 0x3a
  if (!punctuated) return Number.NaN
  const millis = fraction(bytes, start + 19, end)
  return (
    daysFromEpoch(year, month, day) * DAY_MS +
    hour * 3_600_000 +
    minute * 60_000 +
    second * 1000 +
    millis
  )
}

/** `Z` is 0, `.123Z` is 123. */
function fraction(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start] === 0x5a) return 0
  if (bytes[start] !== 0x2e || start + 5 > end || bytes[start + 4] !== 0x5a) return Number.NaN
  const millis = digits(bytes, start + 1, 3)
  return millis < 0 ? Number.NaN : millis
}

function digits(bytes: Uint8Array, start: number, count: number): number {
  let value = 0
  for (let i = start; i < start + count; i++) {
    const digit = (bytes[i] as number) - 0x30
    if (!(digit >= 0 && digit <= 9)) return -1
    value = value * 10 + digit
  }
  return value
}

function daysOfMonth(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}

/** Days of the proleptic Gregorian calendar, counted in years that begin on 1 March. */
function daysFromEpoch(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100)
  return era * 146_097 + yearOfEra * 365 + leapDays + dayOfYear - 719_468
}
