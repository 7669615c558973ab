/** Real HTTP on the loopback, over a job that runs in this process. */
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { clusterErrors } from '../../../../src/cluster/cluster-errors.ts'
import type { ObservedJob } from '../../../../src/cluster/jobmanager/rest/observed-job.ts'
import type { restErrors } from '../../../../src/cluster/jobmanager/rest/rest-errors.ts'
import { restResources } from '../../../../src/cluster/jobmanager/rest/rest-routes.ts'
import { RestServer } from '../../../../src/cluster/jobmanager/rest/rest-server.ts'
import { metricDefinitions } from '../../../../src/observability/metric-definitions.ts'
import { observedTestJob, until } from './observed-test-job.ts'

const token = 'the-token'

type RestError = keyof typeof restErrors | keyof typeof clusterErrors

interface Statistics {
  readonly min: number
  readonly p50: number
  readonly p90: number
  readonly max: number
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly json: Record<string, unknown>
}

interface Call {
  readonly method?: string
  readonly body?: string
  readonly headers?: Record<string, string>
}

const listen = (observed: ObservedJob, port = 0): Promise<RestServer> =>
  RestServer.listen({ resources: restResources(observed), access: { kind: 'token', token, port } })

function call(server: RestServer, path: string, options: Call = {}): Promise<Answer> {
  const { method = 'GET', body, headers = { authorization: `Bearer ${token}` } } = options
  return new Promise((resolve, reject) => {
    const sent = request(`${server.url}${path}`, { method, headers, agent: false }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      response.on('end', () => {
        const isJson = response.headers['content-type']?.startsWith('application/json')
        resolve({ status: response.statusCode ?? 0, text, json: isJson ? JSON.parse(text) : {} })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

function codeIn({ json }: Answer): string {
  return (json.error as { code: string }).code
}

describe('over a running job', () => {
  const observed = observedTestJob({
    args: { topic: 'rides', dbPassword: 'hush-1', input: 'https://me:hush-2@host/x?token=hush-3' },
    failAt: 50,
  })
  let server: RestServer

  beforeAll(async () => {
    server = await listen(observed)
    await until(
      () =>
        observed.job.progress().checkpointsCompleted > 2 && observed.job.progress().restarts > 0,
    )
  })

  afterAll(async () => {
    observed.job.cancel()
    await observed.job.done
    await server.close()
  })

  test('H3: it listens on the loopback only', () => {
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/api\/v1$/)
  })

  test('overview and job tell how it is doing', async () => {
    const overview = await call(server, '/overview')
    expect(overview.status).toBe(200)
    expect(overview.json).toMatchObject({ jobId: 'default.ticks', status: 'running', restarts: 1 })
    const { json } = await call(server, '/job')
    const vertices = json.vertices as { id: string; level: string; busyMs: number }[]
    expect(vertices.map(vertex => vertex.id)).toEqual(observed.graph.vertices.map(one => one.id))
    expect(vertices.map(vertex => vertex.level)).toEqual(vertices.map(() => 'OK'))
  })

  test('plan is that of weir plan --json', async () => {
    const { json } = await call(server, '/plan')
    expect(json).toMatchObject({ name: 'ticks', parallelism: 2 })
  })

  test('config tells no secret', async () => {
    const { text, json } = await call(server, '/config')
    expect(json.args).toEqual({
      topic: 'rides',
      dbPassword: '***',
      input: 'https://***@host/x?token=***',
    })
    expect(text).not.toContain('hush')
    expect(text).not.toContain(token)
  })

  test('checkpoints have their times and sizes, one of them its phases and proof', async () => {
    const { json } = await call(server, '/checkpoints')
    const history = json.history as { id: number; status: string; durationMs: number }[]
    const done = history.find(entry => entry.status === 'completed')
    expect(done?.durationMs).toBeGreaterThan(0)
    const one = await call(server, `/checkpoints/${done?.id}`)
    const parts = one.json.parts as { vertexId: string; subtaskIndex: number }[]
    expect(parts.map(part => `${part.vertexId}/${part.subtaskIndex}`).sort()).toEqual(
      observed.graph.vertices.flatMap(({ id }) => [`${id}/0`, `${id}/1`]).sort(),
    )
    expect(parts[0]).toMatchObject({ alignmentMs: expect.any(Number), syncMs: expect.any(Number) })
    expect(one.json.proof).toMatchObject({ recordsPerSplit: { ticks: expect.anything() } })
  })

  test.each(['999999', 'x', '1e3'])('checkpoint %s is unknown', async id => {
    const answer = await call(server, `/checkpoints/${id}`)
    expect([answer.status, codeIn(answer)]).toEqual([404, 'WEIR_REST_CHECKPOINT_UNKNOWN'])
  })

  test('exceptions tell the failure and that it was restarted', async () => {
    const { json } = await call(server, '/exceptions')
    const failures = json.failures as { message: string; retryInMs: number; atMs: number }[]
    expect(failures).toHaveLength(1)
    expect(failures[0]).toMatchObject({ code: 'WEIR_USER_FUNCTION_FAILED' })
    expect(failures[0]?.message).toContain('odd tick')
    expect(failures[0]?.retryInMs).toBeGreaterThanOrEqual(0)
  })

  test('backpressure sums to a second for each vertex', async () => {
    const { json } = await call(server, '/backpressure')
    for (const vertex of json.vertices as Record<string, number>[]) {
      const { busyMs = 0, idleMs = 0, backpressuredMs = 0 } = vertex
      expect(busyMs + idleMs + backpressuredMs).toBeCloseTo(1_000, 3)
    }
  })

  test('watermarks have every subtask', async () => {
    const { json } = await call(server, '/watermarks')
    const vertices = json.vertices as { subtasks: { index: number; phase: string }[] }[]
    for (const { subtasks } of vertices) {
      expect(subtasks.map(subtask => subtask.index)).toEqual([0, 1])
    }
  })

  test('jobs is a list of the one', async () => {
    const { json } = await call(server, '/jobs')
    expect(json.jobs).toMatchObject([{ jobId: 'default.ticks', status: 'running', parallelism: 2 }])
  })

  test('checkpoints have a summary and their settings', async () => {
    const { json } = await call(server, '/checkpoints')
    const { durationMs, sizeBytes, syncMs } = json.summary as Record<string, Statistics>
    for (const { min, p50, p90, max } of [durationMs, sizeBytes, syncMs] as Statistics[]) {
      expect(min).toBeLessThanOrEqual(p50)
      expect(p50).toBeLessThanOrEqual(p90)
      expect(p90).toBeLessThanOrEqual(max)
    }
    expect((await call(server, '/checkpoints/config')).json).toMatchObject({
      intervalMs: 20,
      mode: 'exactly-once',
      retained: 3,
      storage: 'memory',
    })
  })

  test('a checkpoint has the phases of one vertex', async () => {
    const { json } = await call(server, '/checkpoints')
    const history = json.history as { id: number; status: string }[]
    const id = history.find(entry => entry.status === 'completed')?.id
    const vertex = observed.graph.vertices[0]?.id ?? ''
    const { json: one } = await call(server, `/checkpoints/${id}/subtasks/${vertex}`)
    const subtasks = one.subtasks as { index: number; asyncMs: number }[]
    expect(subtasks.map(({ index }) => index)).toEqual([0, 1])
    expect(subtasks[0]).toMatchObject({ alignmentMs: 0, asyncMs: expect.any(Number) })
    const unknown = await call(server, `/checkpoints/${id}/subtasks/nothing`)
    expect([unknown.status, codeIn(unknown)]).toEqual([404, 'WEIR_REST_VERTEX_UNKNOWN'])
  })

  test('a vertex tells of its operators and of each subtask', async () => {
    for (const { id, chain } of observed.graph.vertices) {
      const { json } = await call(server, `/vertices/${id}`)
      expect(json).toMatchObject({ id, parallelism: 2, level: 'OK' })
      expect(json.operators).toEqual(
        chain.map(({ operatorId, uid, name, spec }) => {
          return { id: operatorId, uid: uid ?? null, name, kind: spec.kind }
        }),
      )
      const { json: subtasks } = await call(server, `/vertices/${id}/subtasks`)
      expect(subtasks.skew).toBeGreaterThanOrEqual(0)
      const { json: pressure } = await call(server, `/vertices/${id}/backpressure`)
      const { json: watermarks } = await call(server, `/vertices/${id}/watermarks`)
      for (const list of [subtasks, pressure, watermarks]) {
        expect((list.subtasks as { index: number }[]).map(one => one.index)).toEqual([0, 1])
      }
    }
  })

  test('an unknown vertex is answered with those that exist', async () => {
    const answer = await call(server, '/vertices/nothing/backpressure')
    expect([answer.status, codeIn(answer)]).toEqual([404, 'WEIR_REST_VERTEX_UNKNOWN'])
    expect(answer.text).toContain(observed.graph.vertices[0]?.id)
  })

  test('the process can be looked into, two at a time', async () => {
    expect((await call(server, '/processes')).json).toEqual({ processes: ['jobmanager'] })
    const looks = ['threads', 'heap', 'flamegraph'].map(what =>
      call(server, `/processes/jobmanager/${what}?ms=60`),
    )
    const [threads, heap, flames] = (await Promise.all(looks)).map(({ json }) => json)
    expect(threads).toMatchObject({ process: 'jobmanager', pid: process.pid, windowMs: 60 })
    expect(threads?.utilization).toBeGreaterThan(0)
    expect(threads?.hottest).toContainEqual(expect.objectContaining({ line: expect.any(Number) }))
    expect(threads?.resources).toContainEqual({ kind: 'TCPSocketWrap', count: expect.any(Number) })
    expect(heap?.heapUsedBytes).toBeLessThan(heap?.heapLimitBytes as number)
    expect(heap?.spaces).toContainEqual(expect.objectContaining({ name: 'old_space' }))
    expect(flames?.root).toMatchObject({ name: '(root)', children: expect.any(Array) })
  })

  test.each([
    ['/processes/slot-9/heap', 404, 'WEIR_REST_PROCESS_UNKNOWN'],
    ['/processes/jobmanager/heap?ms=0', 400, 'WEIR_REST_QUERY_INVALID'],
    ['/processes/jobmanager/threads?ms=99999', 400, 'WEIR_REST_QUERY_INVALID'],
    ['/processes/jobmanager/threads?ms=soon', 400, 'WEIR_REST_QUERY_INVALID'],
  ])('%s is refused', async (path, status, code) => {
    const answer = await call(server, path)
    expect([answer.status, codeIn(answer)]).toEqual([status, code])
  })

  test('metrics need no token and show each documented name', async () => {
    const { status, text } = await call(server, '/metrics', { headers: {} })
    expect(status).toBe(200)
    for (const name of Object.keys(metricDefinitions)) expect(text).toContain(`# TYPE ${name} `)
    expect(text).toMatch(/^weir_job_restarts_total\{job="default\.ticks"\} 1$/m)
  })

  test('a savepoint is accepted, then completed', async () => {
    const accepted = await call(server, '/savepoints', { method: 'POST' })
    expect(accepted.status).toBe(202)
    expect(accepted.json).toMatchObject({ status: 'pending', path: null })
    const waited = await call(server, '/savepoints', { method: 'POST', body: '{"wait":true}' })
    expect(waited.json.path).toMatch(/^memory\/default\.ticks\/savepoints\/savepoint-\d+$/)
    const status = await call(server, `/savepoints/${String(accepted.json.id)}`)
    expect(status.json).toMatchObject({ status: 'completed', error: null })
  })

  test.each([{}, { authorization: 'Bearer wrong' }, { authorization: token }])(
    'H1: without the token nothing is told or done: %j',
    async headers => {
      for (const [method, path] of [
        ['GET', '/job'],
        ['POST', '/cancel'],
        ['GET', '/nothing'],
        ['POST', '/metrics'],
      ] as const) {
        const body = method === 'POST' ? { body: 'not JSON' } : {}
        const answer = await call(server, path, { method, headers, ...body })
        expect([answer.status, codeIn(answer)]).toEqual([401, 'WEIR_REST_UNAUTHORIZED'])
      }
      expect(observed.job.progress().status).toBe('running')
    },
  )

  const refused: readonly [string, string, Call, number, RestError][] = [
    ['an unknown path', '/nothing', {}, 404, 'WEIR_REST_NOT_FOUND'],
    ['a part too many', '/checkpoints/1/2', {}, 404, 'WEIR_REST_NOT_FOUND'],
    ['a part that is empty', '/vertices/', {}, 404, 'WEIR_REST_NOT_FOUND'],
    [
      'more slots than key groups',
      '/rescale',
      { method: 'POST', body: '{"parallelism":9999}' },
      409,
      'WEIR_RESCALE_REFUSED',
    ],
    [
      'no number of slots',
      '/rescale',
      { method: 'POST', body: '{"parallelism":0}' },
      400,
      'WEIR_REST_BODY_INVALID',
    ],
    ['the wrong method', '/stop', {}, 405, 'WEIR_REST_METHOD_NOT_ALLOWED'],
    ['an unknown request', '/savepoints/77', {}, 404, 'WEIR_REST_SAVEPOINT_UNKNOWN'],
    ['no JSON', '/stop', { method: 'POST', body: '{' }, 400, 'WEIR_REST_BODY_INVALID'],
    ['another field', '/stop', { method: 'POST', body: '{"a":1}' }, 400, 'WEIR_REST_BODY_INVALID'],
    [
      'a long body',
      '/stop',
      { method: 'POST', body: ' '.repeat(70_000) },
      413,
      'WEIR_REST_BODY_TOO_LARGE',
    ],
  ]

  test.each(refused)('%s is refused', async (_sentence, ...request) => {
    const [path, options, status, code] = request
    const answer = await call(server, path, options)
    expect([answer.status, codeIn(answer)]).toEqual([status, code])
    expect(answer.json.error).toHaveProperty('next')
    expect(observed.job.progress().status).toBe('running')
  })

  test('an unknown path is answered with the list of those that exist', async () => {
    const { text } = await call(server, '/nothing')
    expect(text).toContain('POST /api/v1/savepoints')
  })
})

test('H2: a taken port is refused, and the job goes on', async () => {
  const observed = observedTestJob({ isQuiet: true })
  const first = await listen(observed)
  const port = Number(new URL(first.url).port)
  await expect(listen(observed, port)).rejects.toThrow('EADDRINUSE')
  await until(() => observed.job.progress().status === 'running')
  const end = await call(first, '/cancel', { method: 'POST', body: '{"wait":true}' })
  expect(end.json).toMatchObject({ outcome: 'cancelled', savepointPath: null })
  await first.close()
})

test('a rescale goes on at another parallelism, with what the job knew', async () => {
  const observed = observedTestJob()
  const server = await listen(observed)
  await until(() => observed.job.progress().checkpointsCompleted > 1)
  const body = '{"wait":true,"parallelism":3}'
  const answer = await call(server, '/rescale', { method: 'POST', body })
  expect(answer.json).toEqual({ accepted: true, parallelism: 3 })
  await until(() => observed.job.progress().status === 'running')
  const { recordsIn, checkpointsCompleted } = observed.job.progress()
  expect(recordsIn).toBeGreaterThan(0)
  expect(checkpointsCompleted).toBeGreaterThan(2)
  const overview = await call(server, '/overview')
  expect(overview.json).toMatchObject({ parallelism: 3, restarts: 0 })
  const vertex = observed.graph.vertices[0]?.id
  const { json } = await call(server, `/vertices/${vertex}/subtasks`)
  expect((json.subtasks as unknown[]).length).toBe(3)
  const at = await call(server, '/rescale', { method: 'POST', body: '{"parallelism":1}' })
  expect(at.status).toBe(202)
  await until(() => observed.graph.parallelism === 1)
  const end = await call(server, '/cancel', { method: 'POST', body: '{"wait":true}' })
  expect(end.json).toMatchObject({ outcome: 'cancelled' })
  await server.close()
})

test('stop with a savepoint answers with a savepoint that no checkpoint shares', async () => {
  const observed = observedTestJob()
  const server = await listen(observed)
  await until(() => observed.job.progress().recordsOut > 20)
  const stopping = call(server, '/stop', {
    method: 'POST',
    body: '{"wait":true,"savepoint":true}',
  })
  const result = await observed.job.done
  // The answer leaves although the server is told to close at once.
  await server.close()
  const { json } = await stopping
  expect(json).toMatchObject({ outcome: 'stopped', lastCheckpointPath: result.lastCheckpointPath })
  const id = /savepoint-(\d+)$/.exec(result.savepointPath ?? '')?.[1]
  expect(json.savepointPath).toBe(`memory/default.ticks/savepoints/savepoint-${id}`)
  const folder = `default.ticks/savepoints/savepoint-${id}`
  const metadata = JSON.parse((await observed.store.get(`${folder}/_metadata`)).toString())
  expect(metadata).toMatchObject({ kind: 'savepoint', checkpointId: Number(id) })
})
