/**
 * How Node is started for anything that runs records. The launcher `weir` repeats them: it cannot
 * read this file.
 *
 *  - A young generation of this size takes most of the gain of a larger one (GC below a tenth of
 *    the time) and keeps a small job below 150 MB.
 *  - V8 learns at allocation sites which objects live long, and then makes all that come from such
 *    a site in the old generation. A record's objects come from one site whether a state keeps them
 *    or not: where some are kept, all the others were left to the slow collector.
 *  - A slot is one thread and is given one core. Helpers of the collector take time from other
 *    slots, and a collection waits for the last of them: ten times as long where no core is free.
 *    Alone it needs less of both, time and processor, the more so the more state there is.
 *  - The heap may grow to three times what lives in it before all of it is collected. By itself V8
 *    guesses the room from the speed of the last collections, anything from a tenth to three times;
 *    with little, tables that grow set off a collection every few hundred milliseconds.
 */
export const nodeFlags: readonly string[] = [
  '--max-semi-space-size=16',
  '--no-allocation-site-pretenuring',
  '--single-threaded-gc',
  '--heap-growing-percent=200',
]
