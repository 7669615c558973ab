import { mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { ControlServer } from '../../../src/cluster/control/control-server.ts'
import { dialJobManager } from '../../../src/cluster/control/dial-jobmanager.ts'
import { encodeMessage } from '../../../src/cluster/control/message-frames.ts'
import { taskManagerRole } from '../../../src/cluster/control/roles.ts'
import { SystemClock } from '../../../src/common/clock.ts'
import { SystemRandom } from '../../../src/common/random.ts'
import { shakeHands } from '../../../src/runtime/network/handshake.ts'
import { dialPeer } from '../../../src/runtime/network/peer-socket.ts'
import { until } from '../process-bench.ts'

const secret = Buffer.from('a secret of sixteen')
const shared = {
  secret,
  tls: undefined,
  version: '1.0.0',
  clock: new SystemClock(),
  random: new SystemRandom(),
}

let folder = ''
let server: ControlServer
let address = ''
let accepted: Socket[] = []
let refused: unknown[] = []

async function listen(jobId: string): Promise<ControlServer> {
  const times = { intervalMs: 100, timeoutMs: 20_000 }
  const one = new ControlServer({
    ...shared,
    listen: address,
    jobId,
    times,
    accept: socket => void accepted.push(socket),
    refused: error => void refused.push(error),
  })
  await one.listen()
  return one
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-control-'))
  address = `unix:${join(folder, 'jm')}`
  accepted = []
  refused = []
  server = await listen('default.a')
})

afterEach(async () => {
  server.dropAll()
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

function dial(jobId = 'default.a'): Promise<Socket> {
  return dialJobManager({ ...shared, address, jobId, slot: 0 })
}

test('Q1: what comes before the handshake is over is never looked at', async () => {
  const socket = await dialPeer({ ...shared, address, peer: 'the server' })
  socket.write(encodeMessage({ kind: 'leaving' }))
  await new Promise(resolve => socket.resume().on('close', resolve))
  await until(() => refused.length > 0)
  expect(accepted).toEqual([])
})

test('who has proved itself comes in', async () => {
  const socket = await dial()
  await until(() => accepted.length === 1)
  expect(refused).toEqual([])
  socket.destroy()
})

test('a taskmanager of another job is refused, and so is one in another role', async () => {
  await expect(dial('default.b')).rejects.toMatchObject({ code: 'WEIR_PEER_OF_OTHER_JOB' })
  const socket = await dialPeer({ ...shared, address, peer: 'the server' })
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
  await server.close()
  const socket = await dial('default.b')
  expect(socket.destroyed).toBe(false)
  socket.destroy()
  server = successor
})
