/** Over a job that runs in this process, and over ends that lie, stall or talk rubbish. */

import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createServer as createPlainServer, type Server } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { restResources } from '../../../src/cluster/jobmanager/rest/rest-routes.ts'
import { RestServer } from '../../../src/cluster/jobmanager/rest/rest-server.ts'
import { SystemClock } from '../../../src/common/clock.ts'
import type { JobTarget } from '../../../src/controller/link/job-link.ts'
import {
  type LinkFigures,
  TlsJobLink,
  type TlsJobLinkOptions,
} from '../../../src/controller/link/tls-job-link.ts'
import { epochKey, type LinkKey, linkKey } from '../../../src/protocol/job-keys.ts'
import { linkTls } from '../../../src/protocol/link-tls.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { observedTestJob, until } from '../../cluster/jobmanager/rest/observed-test-job.ts'
import { snapshot } from '../fake-link.ts'

const master = 'the master key of this installation'
const target: JobTarget = {
  namespace: 'payments',
  name: 'ticks',
  uid: '7d1f-uid',
  epoch: 3,
  podIp: '127.0.0.1',
}
const keyOf = (key = master, identity = target): LinkKey => linkKey(epochKey(key, identity))

const linkTo = (port: number, options: Partial<TlsJobLinkOptions> = {}): TlsJobLink =>
  new TlsJobLink({ masterKeys: [master], clock: new SystemClock(), port, ...options })

const portOf = (server: { address(): AddressInfo | string | null }): number =>
  (server.address() as AddressInfo).port

describe('over a running job', () => {
  const observed = observedTestJob({ failAt: 50 })
  let server: RestServer
  let port = 0
  const figures: LinkFigures[] = []
  const link = (options: Partial<TlsJobLinkOptions> = {}): TlsJobLink => linkTo(port, options)

  beforeAll(async () => {
    server = await RestServer.listen({
      resources: restResources(observed),
      access: { kind: 'link', key: keyOf(), host: '127.0.0.1', port: 0 },
    })
    port = Number(new URL(server.url).port)
    await until(
      () =>
        observed.job.progress().restarts > 0 && observed.job.progress().checkpointsCompleted > 3,
    )
  })
  afterAll(async () => {
    observed.job.cancel()
    await observed.job.done
    await server.close()
  })

  test('facts tell how the job is and where its state lies', async () => {
    const facts = await link({ observe: one => void figures.push(one) }).facts(target)
    expect(facts).toMatchObject({
      status: 'running',
      parallelism: 2,
      restarts: 1,
      lastFailure: { message: expect.stringContaining('odd tick') },
      latest: { kind: 'checkpoint', path: expect.stringMatching(/^memory\/default\.ticks\//) },
      checkpoints: { failuresInRow: 0, lastFailure: null },
      stop: null,
    })
    expect(facts.latest?.id).toBeGreaterThan(0)
    expect(facts.checkpoints.ageMs).toBeGreaterThanOrEqual(0)
    expect(figures).toEqual([{ call: 'facts', result: 'ok', seconds: expect.any(Number) }])
  })

  test('L2: a savepoint that is asked for again is the same one', async () => {
    const id = '7d1f-uid-3-1'
    await link().savepoint(target, id)
    let state = await link().savepoint(target, id)
    while (state.status === 'pending') state = await link().savepoint(target, id)
    expect(state).toMatchObject({ id, status: 'completed', snapshot: { kind: 'savepoint' } })
    expect(await link().savepoint(target, id)).toEqual(state)
    expect(await link().savepointState(target, id)).toEqual(state)
    const taken = observed.job.history.snapshots.filter(one => one.kind === 'savepoint')
    expect(taken).toHaveLength(1)
  })

  test('L3: an id that this jobmanager was not given is unknown, and begins nothing', async () => {
    expect(await link().savepointState(target, '7d1f-uid-3-9')).toBeUndefined()
    expect(await link().stopState(target, '7d1f-uid-3-9')).toBeUndefined()
    expect(observed.job.progress().status).toBe('running')
  })

  test('an order that is refused says why', async () => {
    await expect(link().rescale(target, 99_999)).rejects.toMatchObject({
      code: 'WEIR_LINK_REFUSED',
      message: expect.stringContaining('WEIR_RESCALE_REFUSED'),
    })
    await expect(link().savepoint(target, '12')).rejects.toThrow('WEIR_REST_BODY_INVALID')
  })

  test('a job of an older master key is found, too', async () => {
    const masterKeys = ['a newer master key, made since it began', master]
    expect(await link({ masterKeys }).facts(target)).toMatchObject({ status: 'running' })
  })

  test.each([
    ['another master key', { masterKeys: ['not the master key of this installation'] }, target],
    ['another epoch', {}, { ...target, epoch: 4 }],
    ['a namesake that was deleted', {}, { ...target, uid: 'other-uid' }],
  ])('K1, K3: with the key of %s nothing is said', async (_whose, options, asked) => {
    const error: unknown = await link(options)
      .facts(asked)
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'WEIR_LINK_UNPROVEN' })
    // K3: of a secret nothing is told.
    expect(JSON.stringify([error, String(error)])).not.toContain(keyOf().secret.toString('hex'))
  })

  test('without the key there is no way in, by whatever protocol', async () => {
    const { secret, name } = keyOf()
    const guess = (psk: Buffer, identity: string): Promise<string> =>
      new Promise(resolve => {
        const socket = tlsConnect({
          ...linkTls,
          host: '127.0.0.1',
          port,
          checkServerIdentity: () => undefined,
          pskCallback: hint => {
            expect(hint).toBe(name)
            return { psk, identity }
          },
        })
        socket.once('secureConnect', () => resolve('in'))
        socket.once('error', () => resolve('out'))
        socket.once('close', () => resolve('out'))
      })
    expect(await guess(Buffer.alloc(32), 'weir-controller')).toBe('out')
    expect(await guess(secret, 'somebody')).toBe('out')
    await expect(fetch(`http://127.0.0.1:${port}/api/v1/metrics`)).rejects.toThrow()
    await expect(fetch(`https://127.0.0.1:${port}/api/v1/metrics`)).rejects.toThrow()
    expect(await guess(secret, 'weir-controller')).toBe('in')
  })
})

test('L2, L5: a stop that is asked for again is the same one, and its end is told', async () => {
  const observed = observedTestJob()
  const resources = restResources(observed)
  const server = await RestServer.listen({
    resources,
    access: { kind: 'link', key: keyOf(), host: '127.0.0.1', port: 0 },
  })
  const link = linkTo(Number(new URL(server.url).port))
  await until(() => observed.job.progress().checkpointsCompleted > 0)
  const order = { requestId: '7d1f-uid-3-2', savepoint: true, drain: false }
  expect(await link.stop(target, order)).toMatchObject({ id: order.requestId, error: null })
  await link.stop(target, order)
  const { savepointPath } = await observed.job.done
  const stopped = await link.stopState(target, order.requestId)
  expect(stopped).toMatchObject({ status: 'completed', snapshot: { path: savepointPath } })
  expect(await link.facts(target)).toMatchObject({
    status: 'stopped',
    latest: { kind: 'savepoint', path: savepointPath },
    stop: stopped,
  })
  await server.close()
})

describe('over an end that is none', () => {
  const servers: { close(): unknown }[] = []
  afterEach(() => {
    for (const server of servers.splice(0)) server.close()
  })

  const listening = async <T extends Server>(server: T): Promise<number> => {
    servers.push(server)
    await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
    return portOf(server)
  }

  /** Knows the key, and answers whatever it is told to. */
  const answering = (text: string, status = 200): Promise<number> => {
    const { secret, name } = keyOf()
    const options = { ...linkTls, pskIdentityHint: name, pskCallback: () => secret }
    const server = createServer(options, (_request, response) => {
      if (text === '') return
      response.writeHead(status, { connection: 'close' }).end(text)
    })
    return listening(server as unknown as Server)
  }

  test('who repeats the name of the key without knowing it is not believed', async () => {
    const options = {
      ...linkTls,
      pskIdentityHint: keyOf().name,
      pskCallback: () => Buffer.alloc(32, 1),
    }
    const server = createServer(options, () => expect('a request').toBe('never sent'))
    const port = await listening(server as unknown as Server)
    await expect(linkTo(port).facts(target)).rejects.toMatchObject({
      code: 'WEIR_LINK_UNPROVEN',
      message: expect.stringContaining('does not know the key that it names'),
    })
  })

  test.each([
    { what: 'no JSON', text: 'hello', says: 'no JSON, but 5 characters' },
    { what: 'other fields', text: '{"status":"running"}', says: 'parallelism' },
    { what: 'a status of its own', text: '{}', status: 502, says: 'status 502' },
    { what: 'too much', text: `"${'x'.repeat(70_000)}"`, says: 'longer than 65536 bytes' },
  ])('K2: $what is no answer', async ({ text, status, says }) => {
    const port = await answering(text, status)
    await expect(linkTo(port).facts(target)).rejects.toMatchObject({
      code: 'WEIR_LINK_MALFORMED',
      message: expect.stringContaining(says),
    })
  })

  test('rubbish is no proof', async () => {
    const port = await listening(createPlainServer(socket => socket.end('220 hello\r\n')))
    await expect(linkTo(port).facts(target)).rejects.toMatchObject({ code: 'WEIR_LINK_UNPROVEN' })
  })

  test('nobody there is told as such', async () => {
    const port = await listening(createPlainServer())
    servers.pop()?.close()
    await expect(linkTo(port).facts(target)).rejects.toMatchObject({
      code: 'WEIR_LINK_UNREACHABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  test.each(['before the handshake', 'before the answer'])(
    'L1: who says nothing %s costs no more than the deadline',
    async when => {
      const clock = new ManualClock()
      const heard = Promise.withResolvers<void>()
      const open: { destroy(): void }[] = []
      const port =
        when === 'before the answer'
          ? await answering('')
          : await listening(createPlainServer(socket => void open.push(socket)))
      const last = servers.at(-1) as Server
      last.on(when === 'before the answer' ? 'request' : 'connection', () => heard.resolve())
      const asked = linkTo(port, { clock, deadlineMs: 5_000 }).facts(target)
      const outcome = expect(asked).rejects.toMatchObject({
        code: 'WEIR_LINK_UNREACHABLE',
        message: expect.stringContaining('no answer in 5000 ms'),
      })
      await heard.promise
      clock.advance(5_000)
      await outcome
      for (const socket of open) socket.destroy()
    },
  )

  test('L4: a stop that failed gives the savepoint that completed', async () => {
    const error = { code: 'WEIR_STOP_UNFINISHED', message: 'a slot was lost', next: '' }
    const stopped = { id: 'uid-3-1', status: 'failed', snapshot: snapshot(7, 'savepoint'), error }
    const port = await answering(JSON.stringify({ accepted: true, savepoint: 'x', ...stopped }))
    const order = { requestId: 'uid-3-1', savepoint: true, drain: false }
    expect(await linkTo(port).stop(target, order)).toEqual(stopped)
  })

  test('who asked may give up', async () => {
    const port = await answering('')
    const given = new AbortController()
    const last = servers.at(-1) as Server
    last.on('request', () => given.abort(new Error('the pass is over')))
    await expect(linkTo(port).facts(target, given.signal)).rejects.toThrow('the pass is over')
  })
})
