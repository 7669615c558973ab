import { type Infer, outputTag, record, z } from 'weir'

/** What windows and timers give; which fields mean something depends on the kind. */
export const Result = record({
  kind: z.string(),
  key: z.int32(),
  from: z.timestamp(),
  to: z.timestamp(),
  count: z.int(),
  sum: z.int(),
})
export type Result = Infer<typeof Result>

/** Results of operators whose main output is rows. */
export const resultTag = outputTag('results', Result)
