/**
 * The resources of the REST API in one table: `docs/rest.md` is held against it. Paths are below
 * `/api/v1`; a part in braces stands for any one part.
 */
import { z } from 'zod'
import { describeJob } from '../../../graph/plan-json.ts'
import { METRICS_CONTENT_TYPE, metricsText } from '../../../observability/metrics-text.ts'
import { jobMetrics } from './job-metrics.ts'
import type { JobSteering } from './job-steering.ts'
import {
  backpressureView,
  checkpointsView,
  configView,
  exceptionsView,
  jobView,
  overviewView,
  snapshotView,
  watermarksView,
} from './job-view.ts'
import type { ObservedJob } from './observed-job.ts'
import { restErrors } from './rest-errors.ts'
import { taskManagersView } from './task-managers-view.ts'

export interface RestRequest {
  /** The part of the path in braces. */
  readonly id: string
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
  view('/job', jobView),
  view('/plan', ({ graph }) => describeJob(graph)),
  view('/config', configView),
  view('/checkpoints', checkpointsView),
  { method: 'GET', path: '/checkpoints/{id}', handle: checkpoint },
  view('/exceptions', exceptionsView),
  view('/taskmanagers', taskManagersView),
  view('/backpressure', backpressureView),
  view('/watermarks', watermarksView),
  { method: 'GET', path: '/metrics', isOpen: true, handle: metrics },
  { method: 'POST', path: '/savepoints', handle: triggerSavepoint },
  { method: 'GET', path: '/savepoints/{id}', handle: savepoint },
  { method: 'POST', path: '/stop', handle: stop },
  { method: 'POST', path: '/cancel', handle: cancel },
]

const waitBody = z.strictObject({ wait: z.boolean().default(false) })
const stopBody = waitBody.extend({
  savepoint: z.boolean().default(false),
  drain: z.boolean().default(false),
})

function view(path: string, show: (observed: ObservedJob) => unknown): Route {
  const handle = ({ observed }: RestResources): RestAnswer => ok(show(observed))
  return { method: 'GET', path, handle }
}

function checkpoint({ observed }: RestResources, { id }: RestRequest): RestAnswer {
  const { history } = observed.job
  const entry = /^\d{1,15}$/.test(id) ? history.snapshot(Number(id)) : undefined
  if (entry !== undefined) return ok(snapshotView(entry))
  const ids = history.snapshots.map(one => one.id)
  const known =
    ids.length === 0 ? 'none was taken yet' : `this run knows ${ids[0]} to ${ids.at(-1)}`
  throw restErrors.WEIR_REST_CHECKPOINT_UNKNOWN({ id, known })
}

async function metrics({ observed }: RestResources): Promise<RestAnswer> {
  const body = await metricsText(jobMetrics(observed))
  return { status: 200, body, contentType: METRICS_CONTENT_TYPE }
}

async function triggerSavepoint(
  { steering }: RestResources,
  { body }: RestRequest,
): Promise<RestAnswer> {
  const { wait } = read(waitBody, body)
  const { id, done } = steering.requestSavepoint()
  return wait ? ok(await done) : { status: 202, body: steering.savepoint(id) }
}

function savepoint({ steering }: RestResources, { id }: RestRequest): RestAnswer {
  return ok(steering.savepoint(id))
}

async function stop({ steering }: RestResources, { body }: RestRequest): Promise<RestAnswer> {
  const { wait, ...request } = read(stopBody, body)
  const { id, done } = steering.stop(request)
  return wait ? ok(await done) : { status: 202, body: { accepted: true, savepoint: id } }
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
