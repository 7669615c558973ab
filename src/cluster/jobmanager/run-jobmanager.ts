/**
 * A jobmanager process from its start to its end: reads its job, runs it, serves it, and tells its
 * supervisor, if it has one.
 */
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Clock, SystemClock, type TimerHandle } from '../../common/clock.ts'
import { readConfig } from '../../common/config.ts'
import { messageOf } from '../../common/errors.ts'
import { type Logger, makeLogger } from '../../common/logger.ts'
import { SystemRandom } from '../../common/random.ts'
import { planJob } from '../../graph/build-job-graph.ts'
import type { JobGraph } from '../../graph/job-graph.ts'
import { type JobDescription, jobDescriptionSchema } from '../../protocol/job-description.ts'
import { openStore } from '../../storage/open-store.ts'
import { clusterErrors } from '../cluster-errors.ts'
import { failureReport } from '../failure-report.ts'
import { importBundle, type JobBundle, readBundle } from '../job-bundle.ts'
import { jobIdOf } from '../job-id.ts'
import type { JobNotice, JobResult } from '../job-result.ts'
import { type RestoreRequest, settingsOf } from '../job-settings.ts'
import { type JobManagerConfig, readJobManagerConfig } from '../process-config.ts'
import type { FromJobManager, ProcessHost, ToJobManagerProcess } from '../supervision.ts'
import { processExits } from '../supervision.ts'
import { JobManager } from './job-manager.ts'
import type { JobSteering } from './rest/job-steering.ts'
import { writeLastWord } from './rest/last-word.ts'
import type { ObservedJob } from './rest/observed-job.ts'
import { openRest } from './rest/open-rest.ts'
import { restResources } from './rest/rest-routes.ts'

/** How often a supervisor hears of the job. */
const PROGRESS_INTERVAL_MS = 250

interface Loaded {
  readonly config: JobManagerConfig
  readonly description: JobDescription
  readonly bundle: JobBundle
  readonly graph: JobGraph
  readonly planAt: (parallelism: number) => JobGraph
}

/** Gives the exit code of the process. */
export async function runJobManager(host: ProcessHost): Promise<number> {
  const { logLevel } = readConfig(host.environment)
  const logger = makeLogger({ level: logLevel, write: line => host.log(line) })
  const clock = new SystemClock()
  let loaded: Loaded
  try {
    loaded = await load(host)
  } catch (error) {
    logger.error({ err: error }, 'the jobmanager cannot start')
    return processExits.refused
  }
  const tell = (message: FromJobManager): void => host.supervisor?.send(message)
  const onNotice = (notice: JobNotice): void => {
    logger[notice.level]({ notice: notice.text }, 'the job says')
    tell({ kind: 'notice', notice })
  }
  const manager = makeManager({ loaded, host, logger, clock, onNotice, tell })
  try {
    await manager.start()
  } catch (error) {
    logger.error({ err: error }, 'the jobmanager cannot listen')
    return processExits.failed
  }
  tell({ kind: 'up' })
  const resources = restResources(observedJob({ manager, loaded, host, clock }))
  const { config, description } = loaded
  const closeRest = openRest({ resources, config, rest: description.rest, onNotice })
  const end = await watch({ manager, host, clock, tell })
  if (end === 'left') {
    await Promise.all([closeRest(), manager.leave()])
    writeLastWord(config.lastWordFile, resources, logger)
    return processExits.ok
  }
  if (end === 'abandoned') manager.cancel()
  else {
    const { outcome, error, lastCheckpointPath } = end
    if (outcome === 'failed') logger.error({ err: error, lastCheckpointPath }, 'the job has failed')
    else logger.info({ outcome, lastCheckpointPath }, 'the job is over')
    tell(farewell(manager, end))
  }
  await Promise.all([lastAnswer(resources.steering, clock).then(closeRest), manager.close()])
  if (end === 'abandoned' || end.outcome === 'failed') return processExits.failed
  writeLastWord(config.lastWordFile, resources, logger)
  return processExits.ok
}

async function load(host: ProcessHost): Promise<Loaded> {
  const config = readJobManagerConfig(host.environment)
  const { jobFile } = config
  let description: JobDescription
  try {
    description = jobDescriptionSchema.parse(JSON.parse(readFileSync(jobFile, 'utf8')))
  } catch (error) {
    const reason = messageOf(error)
    throw clusterErrors.WEIR_JOB_FILE_INVALID({ file: jobFile, reason }, error)
  }
  const bundle = readBundle(description.bundle)
  const job = await importBundle(bundle, dirname(jobFile))
  const { metadata, spec } = description.manifest
  const planAt = (parallelism: number): JobGraph =>
    planJob(job, {
      name: metadata.name,
      args: spec.job.args,
      parallelism,
      maxParallelism: spec.maxParallelism,
      checkpointing: spec.checkpoint.mode,
    })
  return { config, description, bundle, graph: planAt(spec.parallelism), planAt }
}

interface Parts {
  readonly loaded: Loaded
  readonly host: ProcessHost
  readonly logger: Logger
  readonly clock: Clock
  readonly onNotice: (notice: JobNotice) => void
  readonly tell: (message: FromJobManager) => void
}

function makeManager({ loaded, host, logger, clock, onNotice, tell }: Parts): JobManager {
  const { config, description, bundle, graph, planAt } = loaded
  const { manifest, restore, run, storeLocation, isWarm } = description
  const { metadata, spec } = manifest
  const random = new SystemRandom()
  return new JobManager({
    graph,
    planAt,
    bundle,
    args: spec.job.args,
    jobId: jobIdOf(metadata.name, metadata.namespace),
    store: openStore({ location: storeLocation, folder: '/', random }),
    restore: restore as RestoreRequest,
    run,
    settings: settingsOf(spec),
    isWarm,
    listen: config.listen,
    secret: config.secret,
    tls: config.tls,
    version: host.version,
    times: config.times,
    slotTimeoutMs: config.slotTimeoutMs,
    startControlThread: host.startControlThread,
    clock,
    random,
    logger,
    onNotice,
    onSlots: slots => tell({ kind: 'slots', slots }),
    onSilent: (slot, pid) => tell({ kind: 'silent', slot, pid }),
  })
}

function observedJob({
  manager,
  loaded,
  host,
  clock,
}: Pick<Parts, 'loaded' | 'host' | 'clock'> & { readonly manager: JobManager }): ObservedJob {
  const { manifest, storeLocation } = loaded.description
  const { metadata, spec } = manifest
  return {
    job: manager,
    jobId: jobIdOf(metadata.name, metadata.namespace),
    get graph() {
      return manager.graph
    },
    settings: settingsOf(spec),
    args: spec.job.args,
    store: openStore({ location: storeLocation, folder: '/', random: new SystemRandom() }),
    clock,
    version: host.version,
  }
}

/** A kubelet takes a second and more to tell what its termination message says. */
const LAST_ANSWER_MS = 1_000

/** Who has ordered the end and asks for it hears of it: another deployment may wait for that. */
async function lastAnswer({ isAsked, told }: JobSteering, clock: Clock): Promise<void> {
  if (!isAsked) return
  let limit: TimerHandle | undefined
  const over = new Promise<void>(resolve => {
    limit = clock.schedule(LAST_ANSWER_MS, resolve)
  })
  await Promise.race([told, over])
  limit?.cancel()
}

/** Until the job ends, or the process is told to leave it to another jobmanager. */
async function watch({
  manager,
  host,
  clock,
  tell,
}: Pick<Parts, 'host' | 'clock' | 'tell'> & { readonly manager: JobManager }): Promise<
  JobResult | 'left' | 'abandoned'
> {
  const tick = (): void => {
    tell({ kind: 'progress', progress: manager.progress() })
    timer = clock.schedule(PROGRESS_INTERVAL_MS, tick)
  }
  let timer = clock.schedule(PROGRESS_INTERVAL_MS, tick)
  const left = new Promise<'left' | 'abandoned'>(resolve => {
    host.supervisor?.onGone(() => resolve('abandoned'))
    host.supervisor?.onMessage(message => {
      if ((message as ToJobManagerProcess).kind === 'stop') void manager.stop()
    })
    host.onTerm(() => {
      void manager.lastCheckpoint().then(() => {
        if (!manager.isEnding) resolve('left')
      })
    })
  })
  const end = await Promise.race([manager.done, left])
  timer.cancel()
  return end
}

function farewell(manager: JobManager, { error, ...result }: JobResult): FromJobManager {
  const failure = error === undefined ? undefined : failureReport(error)
  return { kind: 'ended', result, failure, progress: manager.progress() }
}
