/**
 * Much keyed state, and a note of when records are processed: a gap in the notes is a time without
 * records, whatever caused it.
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { blackhole, datagen, job, record, valueState, z } from 'weir'

const Visit = record({ key: z.int32(), n: z.int() })
const VALUE_BYTES = 1_000
/** As fine as the gaps are measured. */
const BEAT_MS = 20

/** In the folder that the argument `report` names: a time a line. */
export const BEATS = 'beats'

let beatenMs = 0

export default job('beat', env => {
  const { args } = env
  const file = join(args.get('report', '.'), BEATS)
  const keys = args.int('keys', 100_000)
  env
    .from(
      datagen({
        type: Visit,
        ratePerSecond: args.int('rate', 5_000),
        fields: { n: n => n, key: n => n % keys },
      }),
    )
    .uid('visits')
    .keyBy(visit => visit.key)
    .process({
      output: Visit,
      state: { value: valueState(z.string()) },
      processElement(visit, { state }, out) {
        beat(file)
        state.value.update(String(visit.n).padStart(VALUE_BYTES, '.'))
        out.collect(visit)
      },
    })
    .uid('values')
    .to(blackhole())
    .uid('out')
})

function beat(file: string): void {
  const nowMs = Date.now()
  if (nowMs - beatenMs < BEAT_MS) return
  beatenMs = nowMs
  appendFileSync(file, `${nowMs}\n`)
}
