import { beforeEach, expect, test } from '@jest/globals'
import type { ControlLine, LineListener } from '../../../src/cluster/control/control-thread.ts'
import { type ControlDesk, receive } from '../../../src/cluster/jobmanager/control-reception.ts'
import { silentLogger } from '../../../src/common/logger.ts'

const registration = { kind: 'register', slot: 0 }
let calls: string[] = []
let sent: unknown[] = []
let listener: LineListener

function open(desk: Partial<ControlDesk> = {}): void {
  calls = []
  sent = []
  const line: ControlLine = {
    isOpen: true,
    silentMs: 0,
    send: message => void sent.push(message),
    change: () => {},
    close: () => void calls.push('close'),
  }
  const all: ControlDesk = {
    register: one => void calls.push(`register ${one.slot}`),
    take: (_, message) => void calls.push(message.kind),
    lost: (_, end) => void calls.push(`lost: ${end.how}`),
    ...desk,
  }
  listener = receive(line, all, silentLogger)
}

beforeEach(() => open())

test('messages go to the desk, in order, the end as the last', () => {
  for (const message of [registration, { kind: 'leaving' }]) listener.onMessage(message)
  listener.onClosed({ cause: 'closed', how: 'was closed' })
  expect(calls).toEqual(['register 0', 'leaving', 'lost: was closed'])
})

test('Q2: the first message is a registration', () => {
  listener.onMessage({ kind: 'leaving' })
  expect(sent).toMatchObject([{ kind: 'refused', failure: { code: 'WEIR_CONTROL_MALFORMED' } }])
  expect(calls).toEqual(['close', expect.stringMatching(/^lost: was refused/)])
})

test('Q2: heartbeats may come before it: another thread sends them', () => {
  listener.onMessage({ kind: 'heartbeat', blockedMs: 0 })
  expect([calls, sent]).toEqual([[], []])
})

test('Q2: who is refused hears why', () => {
  open({
    register: () => {
      throw new Error('the slot is taken')
    },
  })
  listener.onMessage(registration)
  expect(sent).toMatchObject([
    { kind: 'refused', failure: { message: 'Error: the slot is taken' } },
  ])
})
