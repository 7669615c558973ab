import { type Duplex, duplexPair } from 'node:stream'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { WeirError } from '../../../src/common/errors.ts'
import { SeededRandom } from '../../../src/common/random.ts'
import {
  type HandshakeOptions,
  type PeerIdentity,
  type Refusal,
  shakeHands,
} from '../../../src/runtime/network/handshake.ts'
import { MESSAGE_BYTES_MAX } from '../../../src/runtime/network/handshake-stream.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

const secret = Buffer.from('the secret of this job, 32 bytes')

interface End {
  readonly side: 'dialer' | 'listener'
  readonly stream: Duplex
  readonly clock?: ManualClock
  readonly secret?: Buffer
  readonly own?: Partial<PeerIdentity>
  readonly seed?: number
  readonly admit?: (peer: PeerIdentity) => Refusal | undefined | Promise<Refusal | undefined>
}

function optionsOf(end: End): HandshakeOptions {
  const isDialer = end.side === 'dialer'
  return {
    stream: end.stream,
    side: end.side,
    secret: end.secret ?? secret,
    own: {
      role: isDialer ? 'sender' : 'receiver',
      jobId: 'job-1',
      version: '1.2.3',
      facts: { slot: isDialer ? 1 : 2 },
      ...end.own,
    },
    peerRole: isDialer ? 'receiver' : 'sender',
    peer: isDialer ? 'slot 2' : 'slot 1',
    admit: end.admit ?? (() => undefined),
    timeoutMs: 100,
    verdictTimeoutMs: 1_000,
    clock: end.clock ?? new ManualClock(),
    random: new SeededRandom(end.seed ?? (isDialer ? 1 : 2)),
  }
}

/** The identity of the other end, or the error as a person reads it. */
async function outcome(handshake: Promise<PeerIdentity>): Promise<PeerIdentity | string> {
  try {
    return await handshake
  } catch (error) {
    if (!(error instanceof WeirError)) throw error
    return `${error.code}: ${error.message}`
  }
}

async function meet(dialer: Partial<End> = {}, listener: Partial<End> = {}) {
  const [a, b] = duplexPair()
  const both = await Promise.all([
    outcome(shakeHands(optionsOf({ side: 'dialer', stream: a, ...dialer }))),
    outcome(shakeHands(optionsOf({ side: 'listener', stream: b, ...listener }))),
  ])
  return { a, b, both }
}

function message(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text)
  const framed = Buffer.alloc(2 + bytes.length)
  framed.writeUInt16BE(bytes.length, 0)
  bytes.copy(framed, 2)
  return framed
}

/** Everything that goes through, by direction. */
async function overhear(seed: number): Promise<{ fromDialer: Buffer; fromListener: Buffer }> {
  const [a, nearA] = duplexPair()
  const [b, nearB] = duplexPair()
  const heard = { fromDialer: [] as Buffer[], fromListener: [] as Buffer[] }
  nearA.on('data', (chunk: Buffer) => {
    heard.fromDialer.push(chunk)
    nearB.write(chunk)
  })
  nearB.on('data', (chunk: Buffer) => {
    heard.fromListener.push(chunk)
    nearA.write(chunk)
  })
  await Promise.all([
    shakeHands(optionsOf({ side: 'dialer', stream: a, seed })),
    shakeHands(optionsOf({ side: 'listener', stream: b, seed: seed + 1 })),
  ])
  return {
    fromDialer: Buffer.concat(heard.fromDialer),
    fromListener: Buffer.concat(heard.fromListener),
  }
}

describe('two ends of one job', () => {
  test('know each other afterwards', async () => {
    const { both } = await meet()
    expect(both).toMatchObject([
      { role: 'receiver', jobId: 'job-1', version: '1.2.3', facts: { slot: 2 } },
      { role: 'sender', jobId: 'job-1', version: '1.2.3', facts: { slot: 1 } },
    ])
  })

  test('can go on at once: nothing of what follows is lost', async () => {
    const [a, b] = duplexPair()
    const dialed = shakeHands(optionsOf({ side: 'dialer', stream: a }))
    await shakeHands(optionsOf({ side: 'listener', stream: b }))
    // The verdict and this may be read together at the other end.
    const sent = Buffer.alloc(100_000, 7)
    b.write(sent)
    await dialed
    b.end()
    const chunks: Buffer[] = []
    for await (const chunk of a) chunks.push(chunk as Buffer)
    expect(Buffer.concat(chunks).equals(sent)).toBe(true)
  })

  test('wait for each other: the listener may take its time to admit', async () => {
    const { promise: admitted, resolve: admit } = Promise.withResolvers<undefined>()
    const [a, b] = duplexPair()
    const clock = new ManualClock()
    const both = Promise.all([
      outcome(shakeHands(optionsOf({ side: 'dialer', stream: a, clock }))),
      outcome(shakeHands(optionsOf({ side: 'listener', stream: b, clock, admit: () => admitted }))),
    ])
    await new Promise(setImmediate)
    clock.advance(900)
    admit(undefined)
    expect((await both).map(one => typeof one)).toEqual(['object', 'object'])
    expect(clock.pending).toBe(0)
  })
})

describe('what does not fit is named at both ends', () => {
  const cases: Record<string, [Partial<End>, Partial<End>, string, string]> = {
    'another version': [
      { own: { version: '1.2.4' } },
      {},
      'WEIR_PEER_OF_OTHER_VERSION: slot 2 runs Weir 1.2.3, this is Weir 1.2.4',
      'WEIR_PEER_OF_OTHER_VERSION: slot 1 runs Weir 1.2.4, this is Weir 1.2.3',
    ],
    'another job with the same secret': [
      { own: { jobId: 'job-2' } },
      {},
      'WEIR_PEER_OF_OTHER_JOB: slot 2 belongs to job job-1, this is job job-2',
      'WEIR_PEER_OF_OTHER_JOB: slot 1 belongs to job job-2, this is job job-1',
    ],
    'another job with another secret': [
      { own: { jobId: 'job-2' }, secret: Buffer.alloc(32, 1) },
      {},
      'WEIR_PEER_OF_OTHER_JOB: slot 2 belongs to job job-1, this is job job-2',
      'WEIR_PEER_LOST: the connection to slot 1 broke: it closed the connection',
    ],
    'another secret': [
      { secret: Buffer.alloc(32, 1) },
      {},
      'WEIR_PEER_UNPROVEN: slot 2 does not know the secret of this job',
      'WEIR_PEER_LOST: the connection to slot 1 broke: it closed the connection',
    ],
    'another role': [
      { own: { role: 'taskmanager' } },
      {},
      'WEIR_PEER_OF_OTHER_ROLE: slot 2 is a sender, a taskmanager was expected',
      'WEIR_PEER_OF_OTHER_ROLE: slot 1 is a taskmanager, a sender was expected',
    ],
    'the listener refuses': [
      {},
      { admit: () => ({ over: 'attempt', own: '4', theirs: '3' }) },
      'WEIR_PEER_OF_OTHER_ATTEMPT: slot 2 is at attempt 4, this is attempt 3',
      'WEIR_PEER_OF_OTHER_ATTEMPT: slot 1 is at attempt 3, this is attempt 4',
    ],
    'the dialer refuses': [
      { admit: () => ({ over: 'slot', own: '5', theirs: '2' }) },
      { admit: () => ({ over: 'slot', own: '2', theirs: '5' }) },
      'WEIR_PEER_OF_OTHER_SLOT: slot 2 is slot 2, slot 5 was expected',
      'WEIR_PEER_OF_OTHER_SLOT: slot 1 is slot 5, slot 2 was expected',
    ],
  }
  test.each(Object.entries(cases))('%s', async (_name, [dialer, listener, here, there]) => {
    const { both, a, b } = await meet(dialer, listener)
    expect(both).toEqual([here, there])
    // H3
    expect([a.writableEnded, b.writableEnded]).toEqual([true, true])
  })
})

describe('an attacker without the secret', () => {
  const refused = 'WEIR_PEER_UNPROVEN: slot 1 does not know the secret of this job'

  test('H3: that replays what a dialer once said is not believed', async () => {
    const { fromDialer } = await overhear(10)
    const [a, b] = duplexPair()
    const listener = outcome(shakeHands(optionsOf({ side: 'listener', stream: b, seed: 99 })))
    a.resume()
    a.write(fromDialer)
    expect(await listener).toBe(refused)
  })

  test('that replays what a listener once said is not believed', async () => {
    const { fromListener } = await overhear(10)
    const [a, b] = duplexPair()
    const dialer = outcome(shakeHands(optionsOf({ side: 'dialer', stream: b, seed: 99 })))
    a.resume()
    a.write(fromListener)
    expect(await dialer).toMatch('WEIR_PEER_UNPROVEN')
  })

  test('that sends back what it is sent is not believed', async () => {
    const [a, b] = duplexPair()
    const listener = outcome(
      shakeHands(optionsOf({ side: 'listener', stream: b, own: { role: 'sender' } })),
    )
    a.pipe(a)
    a.write(message(JSON.stringify(hello)))
    expect(await listener).toMatch(/WEIR_(PEER_UNPROVEN|HANDSHAKE_MALFORMED)/)
    const [c, d] = duplexPair()
    const clock = new ManualClock()
    const dialer = outcome(shakeHands(optionsOf({ side: 'dialer', stream: d, clock })))
    c.pipe(c)
    await new Promise(setImmediate)
    clock.advance(100)
    expect(await dialer).toMatch('WEIR_PEER_SILENT: no proof from slot 2 within 100 ms')
  })

  test('that gives the proof of the listener as its own is not believed', async () => {
    const [a, b] = duplexPair()
    const listener = outcome(shakeHands(optionsOf({ side: 'listener', stream: b })))
    a.write(message(JSON.stringify(hello)))
    let heard = Buffer.alloc(0)
    a.on('data', (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk])
      const proofAt = heard.length >= 2 ? 2 + heard.readUInt16BE(0) : Infinity
      if (heard.length >= proofAt + 34) a.write(heard.subarray(proofAt, proofAt + 34))
    })
    expect(await listener).toBe(refused)
  })

  test('H2: is dropped when it says nothing', async () => {
    const [a, b] = duplexPair()
    const clock = new ManualClock()
    const listener = outcome(shakeHands(optionsOf({ side: 'listener', stream: b, clock })))
    a.resume()
    clock.advance(99)
    a.write(message(JSON.stringify(hello)).subarray(0, 10))
    await new Promise(setImmediate)
    clock.advance(1)
    expect(await listener).toBe('WEIR_PEER_SILENT: no hello from slot 1 within 100 ms')
    clock.advance(1_000)
    expect(b.destroyed).toBe(true)
    expect(clock.pending).toBe(0)
  })

  test('H2: is dropped when it says too much', async () => {
    for (const bytes of [Buffer.from([0xff, 0xff]), Buffer.alloc(3 * MESSAGE_BYTES_MAX)]) {
      const [a, b] = duplexPair()
      a.resume()
      const listener = outcome(shakeHands(optionsOf({ side: 'listener', stream: b })))
      a.write(bytes)
      expect(await listener).toMatch('WEIR_HANDSHAKE_MALFORMED')
    }
  })

  test('H1: whatever it sends, it learns no more than a hello and a proof', async () => {
    const words = fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes)),
      fc.uint8Array({ maxLength: 40 }).map(bytes => message(Buffer.from(bytes))),
      fc.constant(message(JSON.stringify(hello))),
      fc.constant(message(Buffer.alloc(32))),
      fc.constant(message(JSON.stringify({ refused: null }))),
    )
    const side = fc.constantFrom('dialer' as const, 'listener')
    const check = async (role: 'dialer' | 'listener', said: Buffer[], end: boolean) => {
      const [a, b] = duplexPair()
      const clock = new ManualClock()
      const victim = outcome(shakeHands(optionsOf({ side: role, stream: b, clock })))
      let heard = 0
      a.on('data', (chunk: Buffer) => {
        heard += chunk.length
      })
      for (const word of said) a.write(word)
      if (end) a.end()
      await new Promise(setImmediate)
      for (let i = 0; i < 4; i++) {
        clock.advance(1_000)
        await new Promise(setImmediate)
      }
      expect(await victim).toMatch(/^WEIR_/)
      expect(heard).toBeLessThan(500)
    }
    await fc.assert(
      fc.asyncProperty(side, fc.array(words, { maxLength: 5 }), fc.boolean(), check),
      { numRuns: 300 },
    )
  })
})

const hello = {
  weir: 1,
  role: 'sender',
  jobId: 'job-1',
  version: '1.2.3',
  facts: {},
  nonce: 'a nonce of the attacker of 32 characters',
}

test('a handshake that is cut anywhere ends at both ends', async () => {
  const { fromDialer } = await overhear(30)
  for (let length = 0; length < fromDialer.length; length += 7) {
    const [a, b] = duplexPair()
    const listener = outcome(shakeHands(optionsOf({ side: 'listener', stream: b })))
    a.resume()
    a.end(fromDialer.subarray(0, length))
    expect(await listener).toMatch('WEIR_PEER_LOST')
  }
})

test('an end that goes while it waits to be admitted is noticed', async () => {
  const [a, b] = duplexPair()
  const never = new Promise<undefined>(() => {})
  const both = Promise.all([
    outcome(shakeHands(optionsOf({ side: 'dialer', stream: a }))),
    outcome(shakeHands(optionsOf({ side: 'listener', stream: b, admit: () => never }))),
  ])
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  a.destroy()
  expect(await both).toEqual([
    'WEIR_PEER_LOST: the connection to slot 2 broke: it closed the connection',
    'WEIR_PEER_LOST: the connection to slot 1 broke: it closed the connection',
  ])
})

test('a secret that is too short is a mistake', async () => {
  const [a] = duplexPair()
  const options = optionsOf({ side: 'dialer', stream: a, secret: Buffer.from('short') })
  await expect(shakeHands(options)).rejects.toThrow('a secret has 16 bytes or more')
})
