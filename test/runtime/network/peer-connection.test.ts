import { expect, test } from '@jest/globals'
import { PeerConnection } from '../../../src/runtime/network/peer-connection.ts'
import { Traffic } from '../../../src/runtime/network/traffic.ts'
import type { Frame } from '../../../src/runtime/network/wire-format.ts'
import { frameBytes, HandPeer } from './frames-fixture.ts'

function start(options: { isOver?: boolean; take?: (frame: Frame) => void } = {}) {
  const failures: unknown[] = []
  const taken: string[] = []
  const unheard: number[] = []
  const traffic = new Traffic()
  const connection = new PeerConnection({
    peer: 'slot 3',
    traffic,
    silenceMs: 1_000,
    take: options.take ?? (frame => taken.push(frame.kind)),
    drained: () => {},
    isOver: () => options.isOver === true,
    failed: error => failures.push(error),
    unheard: silentMs => unheard.push(silentMs),
  })
  const peer = new HandPeer()
  return { connection, peer, failures, taken, traffic, unheard }
}

test('frames come in, bytes go out, both are counted', async () => {
  const { connection, peer, taken, traffic } = start()
  expect([connection.isAttached, connection.isOpen]).toEqual([false, false])
  connection.attach(peer.stream)
  connection.write(frameBytes({ kind: 'credit' }))
  await peer.say(frameBytes({ kind: 'credit' }), frameBytes({ kind: 'alive' }))
  expect((await peer.hear()).map(frame => frame.kind)).toEqual(['credit'])
  expect(taken).toEqual(['credit'])
  expect([traffic.bytesSent, traffic.bytesReceived]).toEqual([12, 24])
})

test('PN1: a failure is reported once, and nothing is taken after it', async () => {
  const { connection, peer, failures, taken } = start()
  connection.attach(peer.stream)
  await peer.say(Buffer.alloc(12))
  await peer.say(frameBytes({ kind: 'credit' }))
  await peer.end()
  expect(failures.map(String)).toEqual([
    expect.stringContaining('WEIR_PEER_LOST  the connection to slot 3 broke: malformed frame'),
  ])
  expect(taken).toEqual([])
  expect(connection.isOpen).toBe(false)
})

test('PN1: what fails here, and not at the peer, is reported as it is', async () => {
  const mistake = new Error('a mistake of this process')
  const take = (): never => {
    throw mistake
  }
  const { connection, peer, failures } = start({ take })
  connection.attach(peer.stream)
  await peer.say(frameBytes({ kind: 'credit' }))
  expect(failures).toEqual([mistake])
})

test('PN2: when all was said either end may close', async () => {
  const { connection, peer, failures } = start({ isOver: true })
  connection.attach(peer.stream)
  await peer.end()
  expect([failures.length, connection.isOpen, peer.stream.destroyed]).toEqual([0, false, true])
})

test('a connection that is closed before it is made is closed when it is', () => {
  const { connection, peer, failures } = start()
  connection.close()
  connection.attach(peer.stream)
  expect([failures.length, peer.stream.destroyed]).toEqual([0, true])
})

test('one that broke before it was handed over has failed', () => {
  const { connection, peer, failures } = start()
  peer.stream.destroy()
  connection.attach(peer.stream)
  expect(failures).toHaveLength(1)
})

test('PN3: signs of life are given where nothing else is said, and missed', async () => {
  const { connection, peer, failures, unheard } = start()
  connection.attach(peer.stream)
  connection.tick(200)
  connection.write(frameBytes({ kind: 'credit' }))
  connection.tick(200)
  connection.tick(200)
  const kinds = (await peer.hear()).map(frame => frame.kind)
  expect(kinds).toEqual(['alive', 'credit', 'alive'])
  await peer.say(frameBytes({ kind: 'alive' }))
  connection.tick(999)
  connection.tick(999)
  expect(unheard).toEqual([])
  connection.tick(1)
  connection.tick(500)
  expect(unheard).toEqual([1_000, 1_500])
  // A process whose thread is kept, or a dead wire: who cannot tell goes on listening.
  await peer.say(frameBytes({ kind: 'alive' }))
  connection.tick(999)
  expect([unheard, failures]).toEqual([[1_000, 1_500], []])
})
