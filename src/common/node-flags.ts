/**
 * How Node is started for anything that runs records. The launcher `weir` repeats them: it cannot
 * read this file.
 *
 *  - A young generation of this size takes most of the gain of a larger one (GC below a tenth of
 *    the time) and keeps a small job below 150 MB.
 *  - V8 learns at allocation sites which objects live long, and then makes all that come from such
 *    a site in the old generation. A record's objects come from one site whether a state keeps them
 *    or not: where some are kept, all the others were left to the slow collector.
 */
export const nodeFlags: readonly string[] = [
  '--max-semi-space-size=16',
  '--no-allocation-site-pretenuring',
]
