/**
 * How many records are pushed before the loop looks at the clock and its mailbox: as many as take
 * about a quarter of a millisecond. Cheap records go by whole batches, without a clock read each
 * few; of records that take 0.1 ms each only a handful go, so that control is not kept waiting. It
 * begins small: what records cost is not known yet.
 */
const SIZE_FIRST = 16
const SIZE_MAX = 512
const TOO_LONG_MS = 0.5
const SHORT_MS = 0.2

export class FlightSize {
  size = SIZE_FIRST

  /** The last flight took so long. */
  adapt(elapsedMs: number): void {
    if (elapsedMs > TOO_LONG_MS) this.size = Math.max(1, this.size >> 1)
    else if (elapsedMs < SHORT_MS && this.size < SIZE_MAX) this.size <<= 1
  }
}
