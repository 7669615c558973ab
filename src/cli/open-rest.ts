/** The REST API beside a job that `weir run` runs. */
import type { ObservedJob } from '../cluster/jobmanager/rest/observed-job.ts'
import type { ServedJob } from '../cluster/jobmanager/rest/serve-job.ts'
import { messageOf } from '../common/errors.ts'
import type { Random } from '../common/random.ts'
import type { CliIo } from './cli-io.ts'

/** The job starts first; one that ends before this has never had a server. */
const OPEN_DELAY_MS = 100

export interface OpenRestOptions {
  readonly observed: ObservedJob
  /** 0: any free one. */
  readonly port: number
  readonly random: Random
  /** Says where it is, or why it is not: that fails no job. */
  readonly say: (text: string) => void
}

/** Gives the way to close it, for after the job's end. */
export function openRest(options: OpenRestOptions, io: CliIo): () => Promise<void> {
  let serving: Promise<ServedJob | undefined> = Promise.resolve(undefined)
  let ended = false
  const timer = io.clock.schedule(OPEN_DELAY_MS, () => {
    serving = serve(options, io).catch((error: unknown) => {
      if (!ended) options.say(`the job cannot be steered: no REST API: ${messageOf(error)}`)
      return undefined
    })
    void serving.then(served => {
      if (served !== undefined && !ended)
        options.say(`REST API at ${served.url}: weir status, savepoint, stop`)
    })
  })
  void options.observed.job.done.then(() => {
    ended = true
    timer.cancel()
  })
  return async () => {
    await (await serving)?.close()
  }
}

async function serve({ observed, port, random }: OpenRestOptions, io: CliIo): Promise<ServedJob> {
  const { serveJob } = await import('../cluster/jobmanager/rest/serve-job.ts')
  const { restResources } = await import('../cluster/jobmanager/rest/rest-routes.ts')
  return serveJob({ resources: restResources(observed), cwd: io.cwd, port, random })
}
