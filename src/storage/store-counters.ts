/** What was asked of a store since it was opened. */
export interface StoreCounters {
  /** Every request that was sent, with those sent again. */
  readonly requests: number
  readonly retries: number
  readonly writtenBytes: number
  readonly readBytes: number
}

export const noStoreCounters: StoreCounters = {
  requests: 0,
  retries: 0,
  writtenBytes: 0,
  readBytes: 0,
}

export function addStoreCounters(one: StoreCounters, other: StoreCounters): StoreCounters {
  return combine(one, other, 1)
}

export function subtractStoreCounters(one: StoreCounters, other: StoreCounters): StoreCounters {
  return combine(one, other, -1)
}

function combine(one: StoreCounters, other: StoreCounters, sign: number): StoreCounters {
  return {
    requests: one.requests + sign * other.requests,
    retries: one.retries + sign * other.retries,
    writtenBytes: one.writtenBytes + sign * other.writtenBytes,
    readBytes: one.readBytes + sign * other.readBytes,
  }
}
