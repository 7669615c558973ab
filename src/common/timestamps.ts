/**
 * Event and processing times are numbers of milliseconds since the epoch. The two infinities stand
 * where Flink uses the smallest and the largest 64-bit number.
 */

/** A record without a timestamp; a watermark that has not come yet. */
export const MIN_TIMESTAMP = Number.NEGATIVE_INFINITY

/** The end of event time: the watermark after the last record of a bounded input. */
export const MAX_TIMESTAMP = Number.POSITIVE_INFINITY
