import { mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { ControlThread } from '../../../src/cluster/control/control-thread.ts'
import { dialJobManager } from '../../../src/cluster/control/dial-jobmanager.ts'
import { encodeMessage, MessageDecoder } from '../../../src/cluster/control/message-frames.ts'
import { taskManagerRole } from '../../../src/cluster/control/roles.ts'
import { type ControlDesk, receive } from '../../../src/cluster/jobmanager/control-reception.ts'
import { SystemClock } from '../../../src/common/clock.ts'
import { silentLogger } from '../../../src/common/logger.ts'
import { SystemRandom } from '../../../src/common/random.ts'
import { shakeHands } from '../../../src/runtime/network/handshake.ts'
import { dialPeer } from '../../../src/runtime/network/peer-socket.ts'
import { controlInThread } from '../control-in-thread.ts'
import { until } from '../process-bench.ts'

const secret = Buffer.from('a secret of sixteen')
const shared = {
  secret,
  tls: undefined,
  version: '1.0.0',
  clock: new SystemClock(),
  random: new SystemRandom(),
}
const registration = {
  kind: 'register',
  slot: 0,
  process: 'p',
  pid: 7,
  host: 'here',
  dataAddress: 'unix:/d',
  digest: null,
}

let folder = ''
let server: ControlThread
let address = ''
let calls: string[] = []

const desk: ControlDesk = {
  register: one => void calls.push(`register ${one.slot}`),
  take: (_, message) => void calls.push(message.kind),
  lost: (_, end) => void calls.push(`lost: ${end.how}`),
}

async function listen(jobId: string): Promise<ControlThread> {
  const { clock, tls, version } = shared
  const thread = new ControlThread({
    settings: {
      end: { kind: 'listener', address },
      jobId,
      secret,
      tls,
      version,
      times: { intervalMs: 100, timeoutMs: 20_000 },
    },
    start: controlInThread(),
    clock,
    accept: line => receive(line, desk, silentLogger),
  })
  await thread.address
  return thread
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-control-'))
  address = `unix:${join(folder, 'jm')}`
  calls = []
  server = await listen('default.a')
})

afterEach(async () => {
  server.dropAll()
  await server.end()
  rmSync(folder, { recursive: true, force: true })
})

function dial(jobId = 'default.a'): Promise<Socket> {
  return dialJobManager({ ...shared, address, jobId, slot: 0 })
}

/** What the server says until it ends the connection. */
async function answersOf(socket: Socket): Promise<unknown[]> {
  const decoder = new MessageDecoder()
  const answers: unknown[] = []
  socket.on('data', chunk => answers.push(...decoder.push(chunk)))
  await new Promise(resolve => socket.resume().on('close', resolve))
  return answers
}

test('Q1: what comes before the handshake is over is never looked at', async () => {
  const peer = 'the server'
  const socket = await dialPeer({ address, peer, tls: undefined })
  socket.write(encodeMessage(registration))
  await new Promise(resolve => socket.resume().on('close', resolve))
  expect(calls).toEqual([])
})

test('Q2: the first message is a registration', async () => {
  const socket = await dial()
  socket.write(encodeMessage({ kind: 'leaving' }))
  expect(await answersOf(socket)).toMatchObject([
    { kind: 'refused', failure: { code: 'WEIR_CONTROL_MALFORMED' } },
  ])
  expect(calls).toEqual([expect.stringMatching(/^lost: was refused/)])
})

test('after it the messages go to the desk, in order', async () => {
  const socket = await dial()
  socket.write(Buffer.concat([registration, { kind: 'leaving' }].map(encodeMessage)))
  await until(() => calls.length === 2)
  socket.destroy()
  await until(() => calls.length === 3)
  expect(calls).toEqual(['register 0', 'leaving', 'lost: was closed'])
})

test('a taskmanager of another job is refused, and so is one in another role', async () => {
  await expect(dial('default.b')).rejects.toMatchObject({ code: 'WEIR_PEER_OF_OTHER_JOB' })
  const socket = await dialPeer({ address, peer: 'the server', tls: undefined })
  const handshake = shakeHands({
    ...shared,
    stream: socket,
    side: 'dialer',
    own: { role: 'onlooker', jobId: 'default.a', version: '1.0.0', facts: {} },
    peerRole: taskManagerRole,
    peer: 'the server',
    admit: () => undefined,
    timeoutMs: 5_000,
    verdictTimeoutMs: 5_000,
  })
  await expect(handshake).rejects.toMatchObject({ code: 'WEIR_PEER_OF_OTHER_ROLE' })
})

test('a successor takes the address, and its predecessor does not take it back', async () => {
  const successor = await listen('default.b')
  server.dropAll()
  await server.end()
  const socket = await dial('default.b')
  expect(socket.destroyed).toBe(false)
  socket.destroy()
  server = successor
})
