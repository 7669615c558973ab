/**
 * What a jobmanager is started with: its job, as one JSON file that stands beside it. It may hold
 * secrets (the job's arguments), so only its owner may read it.
 */
import { z } from 'zod'
import { streamJobSchema } from './stream-job.ts'

const dropState = z.array(z.string()).readonly().optional()

const noRestore = z.object({ kind: z.literal('none') })
const pathRestore = z.object({
  kind: z.literal('path'),
  path: z.string().min(1),
  fromJob: z.string().min(1).optional(),
  dropState,
})

const restoreSchema = z.discriminatedUnion('kind', [
  noRestore,
  pathRestore,
  z.object({ kind: z.literal('latest'), dropState }),
  z.object({
    kind: z.literal('continue'),
    otherwise: z.discriminatedUnion('kind', [noRestore, pathRestore]),
    dropState,
  }),
])

export const jobDescriptionSchema = z.strictObject({
  formatVersion: z.literal(1),
  /** Names this start of the job: the same for each jobmanager that takes the place of another. */
  run: z.string().min(1),
  manifest: streamJobSchema,
  /** The job's code; see `cluster/job-bundle.ts`. */
  bundle: z.string().min(1),
  /** A place without a scheme is a folder. */
  storeLocation: z.string().min(1),
  restore: restoreSchema,
  /** All is made ready, and nothing of the job begins before the order to. */
  isWarm: z.boolean().default(false),
  /** `null`: no REST API. Port 0: any free one. */
  rest: z
    .strictObject({
      port: z.int().min(0).max(65_535),
      /** Under whose `.weir/run` the run file stands. */
      folder: z.string().min(1),
    })
    .nullable(),
})

export type JobDescription = Readonly<z.output<typeof jobDescriptionSchema>>
/** As it is written: defaults of the manifest may be left out. */
export type JobDescriptionText = z.input<typeof jobDescriptionSchema>
