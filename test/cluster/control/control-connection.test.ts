import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { z } from 'zod'
import {
  type ConnectionEnd,
  ControlConnection,
} from '../../../src/cluster/control/control-connection.ts'
import { encodeMessage } from '../../../src/cluster/control/message-frames.ts'
import { dialPeer } from '../../../src/runtime/network/peer-socket.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { until } from '../process-bench.ts'

const times = { intervalMs: 500, timeoutMs: 2_000 }
const schema = z.object({ n: z.number() })
let folder = ''
let server: Server
let far: Socket | undefined
const ends: ConnectionEnd[] = []
const taken: number[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-control-'))
  ends.length = 0
  taken.length = 0
  far = undefined
  server = createServer(socket => {
    far = socket
  })
  await new Promise<void>(resolve => server.listen(join(folder, 's'), resolve))
})

afterEach(() => {
  far?.destroy()
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

async function connected(clock: ManualClock) {
  const address = `unix:${join(folder, 's')}`
  const socket = await dialPeer({ address, peer: 'a peer', clock })
  const connection = new ControlConnection({
    socket,
    schema,
    clock,
    times,
    beat: () => ({ n: -1 }),
    onMessage: message => void taken.push(message.n),
    onClosed: end => void ends.push(end),
  })
  await until(() => far !== undefined)
  return { connection, far: far as Socket }
}

test('K1: messages arrive in order, and none after the end', async () => {
  const { far } = await connected(new ManualClock())
  for (let n = 0; n < 50; n++) far.write(encodeMessage({ n }))
  far.end()
  await until(() => ends.length > 0)
  expect(taken).toEqual(Array.from({ length: 50 }, (_, n) => n))
  expect(ends).toMatchObject([{ cause: 'closed' }])
})

test('K2: who closes by himself hears nothing of it', async () => {
  const { connection, far } = await connected(new ManualClock())
  const gone = new Promise(resolve => far.resume().on('close', resolve))
  connection.send({ n: 1 })
  await connection.close()
  await gone
  expect(connection.isOpen).toBe(false)
  expect(ends).toEqual([])
})

test('K3: what its schema does not know ends it, with the reason', async () => {
  const { far } = await connected(new ManualClock())
  far.write(encodeMessage({ n: 'seven' }))
  far.write(encodeMessage({ n: 8 }))
  await until(() => ends.length > 0)
  expect(taken).toEqual([])
  expect(ends).toMatchObject([{ cause: 'broken', error: { code: 'WEIR_CONTROL_MALFORMED' } }])
})

test('heartbeats go out, and silence is the end', async () => {
  const clock = new ManualClock()
  const { far } = await connected(clock)
  const received: Buffer[] = []
  far.on('data', chunk => received.push(chunk))
  clock.advance(1_500)
  await until(() => Buffer.concat(received).length === 3 * encodeMessage({ n: -1 }).length)
  expect(ends).toEqual([])
  clock.advance(500)
  expect(ends).toEqual([{ cause: 'silent', how: 'was silent for 2s' }])
  expect(clock.pending).toBe(0)
})
