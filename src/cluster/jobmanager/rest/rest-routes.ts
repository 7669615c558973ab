/**
 * The resources of the REST API in one table: `docs/rest.md` is held against it. Paths are below
 * `/api/v1`; a part in braces stands for any one part.
 */
import { z } from 'zod'
import { describeJob } from '../../../graph/plan-json.ts'
import { METRICS_CONTENT_TYPE, metricsText } from '../../../observability/metrics-text.ts'
import { requestIdSchema } from '../../../protocol/job-facts.ts'
import { ownProcess } from '../../own-process.ts'
import type { InspectedProcesses, ProcessInspector } from '../../process-inspector.ts'
import type { SnapshotEntry } from '../job-history.ts'
import {
  checkpointsConfigView,
  checkpointsView,
  snapshotVertexView,
  snapshotView,
} from './checkpoint-view.ts'
import { factsView } from './facts-view.ts'
import { jobMetrics } from './job-metrics.ts'
import { JobSteering } from './job-steering.ts'
import {
  backpressureView,
  configView,
  exceptionsView,
  jobsView,
  jobView,
  overviewView,
  watermarksView,
} from './job-view.ts'
import type { ObservedJob } from './observed-job.ts'
import { restErrors } from './rest-errors.ts'
import { taskManagersView } from './task-managers-view.ts'
import {
  type ObservedVertex,
  vertexBackpressureView,
  vertexOf,
  vertexSubtasksView,
  vertexView,
  vertexWatermarksView,
} from './vertex-view.ts'

export interface RestRequest {
  /** The parts of the path in braces, by name. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** `undefined` without a body. */
  readonly body: unknown
}

export interface RestAnswer {
  readonly status: number
  /** Sent as JSON, unless there is a `contentType`: then it is a text. */
  readonly body: unknown
  readonly contentType?: string
}

export interface RestResources {
  readonly observed: ObservedJob
  readonly steering: JobSteering
  readonly processes: InspectedProcesses
}

/** One for a job, however many servers it has: an order given to one is known to all. */
export function restResources(observed: ObservedJob): RestResources {
  const processes = observed.processes ?? ownProcess(observed.clock)
  return { observed, steering: new JobSteering(observed), processes }
}

export interface Route {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Needs no token. */
  readonly isOpen?: boolean
  readonly handle: (
    resources: RestResources,
    request: RestRequest,
  ) => RestAnswer | Promise<RestAnswer>
}

export const API_PREFIX = '/api/v1'

export const routes: readonly Route[] = [
  view('/overview', overviewView),
  view('/jobs', jobsView),
  view('/job', jobView),
  { method: 'GET', path: '/facts', handle: facts },
  view('/plan', ({ graph }) => describeJob(graph)),
  view('/config', configView),
  view('/checkpoints', checkpointsView),
  view('/checkpoints/config', checkpointsConfigView),
  { method: 'GET', path: '/checkpoints/{id}', handle: checkpoint },
  { method: 'GET', path: '/checkpoints/{id}/subtasks/{vertex}', handle: checkpointSubtasks },
  view('/exceptions', exceptionsView),
  view('/taskmanagers', taskManagersView),
  view('/backpressure', backpressureView),
  view('/watermarks', watermarksView),
  vertex('', vertexView),
  vertex('/subtasks', vertexSubtasksView),
  vertex('/backpressure', vertexBackpressureView),
  vertex('/watermarks', vertexWatermarksView),
  { method: 'GET', path: '/metrics', isOpen: true, handle: metrics },
  { method: 'GET', path: '/processes', handle: listProcesses },
  inspection('/threads', (inspector, windowMs) => inspector.threads(windowMs)),
  inspection('/heap', (inspector, windowMs) => inspector.heap(windowMs)),
  inspection('/flamegraph', (inspector, windowMs) => inspector.flameGraph(windowMs)),
  { method: 'POST', path: '/begin', handle: begin },
  { method: 'POST', path: '/savepoints', handle: triggerSavepoint },
  { method: 'GET', path: '/savepoints/{id}', handle: savepoint },
  { method: 'POST', path: '/stop', handle: stop },
  { method: 'GET', path: '/stops/{id}', handle: stopOf },
  { method: 'POST', path: '/rescale', handle: rescale },
  { method: 'POST', path: '/cancel', handle: cancel },
]

const waitBody = z.strictObject({ wait: z.boolean().default(false) })
const orderBody = waitBody.extend({ requestId: requestIdSchema.optional() })
const stopBody = orderBody.extend({
  savepoint: z.boolean().default(false),
  drain: z.boolean().default(false),
})
const rescaleBody = waitBody.extend({ parallelism: z.int().min(1) })

/** Longer than this nobody waits for an answer; shorter says nothing. */
const WINDOW_DEFAULT_MS = 500
const WINDOW_MAX_MS = 8_000

function view(path: string, show: (observed: ObservedJob) => unknown): Route {
  const handle = ({ observed }: RestResources): RestAnswer => ok(show(observed))
  return { method: 'GET', path, handle }
}

function vertex(path: string, show: (found: ObservedVertex) => unknown): Route {
  const handle = ({ observed }: RestResources, { params }: RestRequest): RestAnswer =>
    ok(show(vertexOf(observed, params.vertex ?? '')))
  return { method: 'GET', path: `/vertices/{vertex}${path}`, handle }
}

function inspection(
  path: string,
  look: (inspector: ProcessInspector, windowMs: number) => Promise<object>,
): Route {
  const handle = async (
    { processes }: RestResources,
    { params, query }: RestRequest,
  ): Promise<RestAnswer> => {
    const { process: id = '' } = params
    const inspector = processes.of(id)
    if (inspector === undefined) {
      throw restErrors.WEIR_REST_PROCESS_UNKNOWN({ id, known: processes.names })
    }
    return ok({ process: id, ...(await look(inspector, windowOf(query))) })
  }
  return { method: 'GET', path: `/processes/{process}${path}`, handle }
}

function listProcesses({ processes }: RestResources): RestAnswer {
  return ok({ processes: processes.names })
}

function windowOf(query: URLSearchParams): number {
  const value = query.get('ms') ?? String(WINDOW_DEFAULT_MS)
  const ms = /^\d{1,6}$/.test(value) ? Number(value) : 0
  if (ms >= 1 && ms <= WINDOW_MAX_MS) return ms
  const expected = `milliseconds from 1 to ${WINDOW_MAX_MS}`
  throw restErrors.WEIR_REST_QUERY_INVALID({ name: 'ms', value, expected })
}

function checkpoint({ observed }: RestResources, { params }: RestRequest): RestAnswer {
  return ok(snapshotView(entryOf(observed, params.id ?? '')))
}

function checkpointSubtasks({ observed }: RestResources, { params }: RestRequest): RestAnswer {
  const entry = entryOf(observed, params.id ?? '')
  const { vertex: found } = vertexOf(observed, params.vertex ?? '')
  return ok(snapshotVertexView(entry, found.id))
}

function entryOf({ job }: ObservedJob, id: string): SnapshotEntry {
  const { history } = job
  const entry = /^\d{1,15}$/.test(id) ? history.snapshot(Number(id)) : undefined
  if (entry !== undefined) return entry
  const ids = history.snapshots.map(one => one.id)
  const known =
    ids.length === 0 ? 'none was taken yet' : `this run knows ${ids[0]} to ${ids.at(-1)}`
  throw restErrors.WEIR_REST_CHECKPOINT_UNKNOWN({ id, known })
}

async function metrics({ observed }: RestResources): Promise<RestAnswer> {
  const body = await metricsText(jobMetrics(observed))
  return { status: 200, body, contentType: METRICS_CONTENT_TYPE }
}

function begin({ observed }: RestResources): RestAnswer {
  observed.job.begin?.()
  return { status: 202, body: { accepted: true } }
}

async function triggerSavepoint(
  { steering }: RestResources,
  { body }: RestRequest,
): Promise<RestAnswer> {
  const { wait, requestId } = read(orderBody, body)
  const { id, done } = steering.requestSavepoint(requestId)
  return wait ? ok(await done) : { status: 202, body: steering.savepoint(id) }
}

function savepoint({ steering }: RestResources, { params }: RestRequest): RestAnswer {
  return ok(steering.savepoint(params.id ?? ''))
}

async function stop({ steering }: RestResources, { body }: RestRequest): Promise<RestAnswer> {
  const { wait, requestId, ...request } = read(stopBody, body)
  const { id, done } = steering.stop(request, requestId)
  if (wait) return ok(await done)
  const facts = requestId === undefined ? {} : steering.stopOf(requestId)
  return { status: 202, body: { accepted: true, savepoint: id, ...facts } }
}

function stopOf({ steering }: RestResources, { params }: RestRequest): RestAnswer {
  return ok(steering.stopOf(params.id ?? ''))
}

function facts({ observed, steering }: RestResources): RestAnswer {
  return ok(factsView(observed, steering))
}

async function rescale({ observed }: RestResources, { body }: RestRequest): Promise<RestAnswer> {
  const { wait, parallelism } = read(rescaleBody, body)
  const { begun } = await observed.job.rescale(parallelism)
  const answer = { accepted: true, parallelism }
  if (wait) {
    await begun
    return ok(answer)
  }
  // That an order to end takes it back is seen by the job's status.
  begun.catch(() => undefined)
  return { status: 202, body: answer }
}

async function cancel({ steering }: RestResources, { body }: RestRequest): Promise<RestAnswer> {
  const { wait } = read(waitBody, body)
  const end = steering.cancel()
  return wait ? ok(await end) : { status: 202, body: { accepted: true } }
}

function ok(body: unknown): RestAnswer {
  return { status: 200, body }
}

function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const { success, data, error } = schema.safeParse(body ?? {})
  if (success) return data
  const reason = error.issues.map(issue => [...issue.path, issue.message].join(': ')).join('; ')
  throw restErrors.WEIR_REST_BODY_INVALID({ reason })
}
