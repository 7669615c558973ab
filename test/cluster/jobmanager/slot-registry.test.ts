import { describe, expect, test } from '@jest/globals'
import type { JobNotice } from '../../../src/cluster/job-result.ts'
import { SlotRegistry } from '../../../src/cluster/jobmanager/slot-registry.ts'
import type { SlotCommand, SlotEvent } from '../../../src/cluster/slot-messages.ts'
import type { ToTaskManager } from '../../../src/protocol/control-messages.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

class FakeLink {
  readonly sent: ToTaskManager[] = []
  silentMs = 0
  isOpen = true

  send(message: ToTaskManager): void {
    this.sent.push(message)
  }

  close(): void {
    this.isOpen = false
  }

  get orders(): string[] {
    return this.sent.map(one => (one.kind === 'command' ? one.command.kind : one.kind))
  }
}

function bench(slots = 2) {
  const clock = new ManualClock()
  const events: SlotEvent[] = []
  const notices: JobNotice[] = []
  const silent: [slot: number, pid: number][] = []
  const registry = new SlotRegistry({
    jobId: 'default.test',
    tasks: Array.from({ length: slots }, () => 2),
    slotsMax: 4,
    graphDigest: 'same',
    clock,
    slotTimeoutMs: 20_000,
    silenceMs: 3_000,
    receive: event => void events.push(event),
    onNotice: notice => void notices.push(notice),
    onLost: () => {},
    onSilent: (slot, pid) => void silent.push([slot, pid]),
  })
  const register = (slot: number, process = `p${slot}`): FakeLink => {
    const link = new FakeLink()
    const dataAddress = `unix:/${process}`
    const who = { pid: 100 + slot, host: 'here', dataAddress, digest: null }
    registry.register({ kind: 'register', slot, process, ...who }, link)
    return link
  }
  const join = (slot: number, process?: string): FakeLink => {
    const link = register(slot, process)
    registry.prepared(link, 'same')
    return link
  }
  const send = (
    slot: number,
    command: Omit<SlotCommand, 'attempt' | 'region'>,
    attempt = 0,
  ): void => {
    registry.gateways[slot]?.send({ region: 0, attempt, ...command } as SlotCommand)
  }
  const deploy = (slot: number, attempt = 0): void => {
    const network = { generation: 1, peers: [] }
    send(slot, { kind: 'deploy', restore: undefined, ...network } as never, attempt)
  }
  const kinds = (): string[] => events.map(event => `${event.kind} ${event.slot}`)
  return { clock, registry, register, join, send, deploy, events, kinds, notices, silent }
}

describe('who holds a slot', () => {
  test('R1: another process is refused while the holder is connected, and comes in after it', () => {
    const { registry, join, register } = bench()
    const holder = join(0)
    expect(() => register(0, 'other')).toThrow(
      /slot 0 is taken by taskmanager 0 \(here, process 100\)/,
    )
    registry.lost(holder, 'was closed')
    const next = join(0, 'other')
    expect(next.isOpen).toBe(true)
    expect(registry.views[0]).toMatchObject({ state: 'ready', dataAddress: 'unix:/other' })
  })

  test('R1: the same process on a new connection takes its slot back at once', () => {
    const { join, deploy, kinds } = bench()
    const old = join(0)
    deploy(0)
    join(0)
    expect(old.isOpen).toBe(false)
    expect(kinds()).toEqual(['failed 0'])
  })

  test('R5: a slot that the job can never have is refused', () => {
    const { register } = bench()
    expect(() => register(4)).toThrow(/no slot 4 in default.test: it has 2, counted from 0, .* 4$/)
  })

  test('R5: one beyond the slots of the job is a spare, and comes again for a rescale', () => {
    const { registry, join, register } = bench()
    const links = [join(0), join(1), register(3)]
    expect(links.map(link => registry.isSpare(link))).toEqual([false, false, true])
    expect(registry.supply.peers).toHaveLength(2)
    expect(() => register(3, 'other')).toThrow(/slot 3 is taken/)
    expect(registry.views.map(({ slot, state }) => `${slot} ${state}`)).toEqual([
      '0 ready',
      '1 ready',
      '3 spare',
    ])
    registry.dropAll()
    expect(links.map(link => [link.isOpen, link.orders])).toEqual(links.map(() => [false, []]))
    expect(registry.missing).toEqual([0, 1])
  })

  test('R5: a spare is let go with the others', () => {
    const { registry, register } = bench()
    const gone = register(2)
    registry.lost(gone, 'was closed')
    const spare = register(2, 'other')
    registry.dismiss()
    expect(gone.orders).toEqual([])
    expect(spare.orders).toEqual(['dismissed'])
  })

  test('R4: a slot counts when it has built the same job', () => {
    const { registry, register } = bench(1)
    const link = register(0)
    expect(registry.missing).toEqual([0])
    expect(registry.supply.peers).toBeUndefined()
    expect(registry.views[0]?.state).toBe('preparing')
    expect(() => registry.prepared(link, 'other')).toThrow(
      expect.objectContaining({ code: 'WEIR_JOB_UNLIKE' }) as unknown as Error,
    )
    registry.prepared(link, 'same')
    expect(registry.supply.peers).toEqual(['unix:/p0'])
  })
})

describe('orders and reports', () => {
  test('R2: they reach the process of the attempt, and no other', () => {
    const { registry, join, deploy, send } = bench()
    const first = join(0)
    deploy(0)
    send(0, { kind: 'stop-sources', drain: false } as never)
    registry.lost(first, 'was closed')
    const second = join(0, 'other')
    send(0, { kind: 'finish' })
    expect(first.orders).toEqual(['deploy', 'stop-sources'])
    expect(second.orders).toEqual([])
  })

  test('reports of a connection that was given up, or of an older attempt, are dropped', () => {
    const { registry, join, deploy, kinds, events } = bench()
    const link = join(0)
    deploy(0, 3)
    registry.receive(link, { region: 0, attempt: 2, slot: 0, kind: 'drained', vertexId: 'a' })
    registry.receive(link, { region: 0, attempt: 3, slot: 0, kind: 'drained', vertexId: 'b' })
    registry.lost(link, 'was closed')
    registry.receive(link, { region: 0, attempt: 3, slot: 0, kind: 'drained', vertexId: 'c' })
    expect(kinds()).toEqual(['drained 0', 'failed 0'])
    expect(events[0]).toMatchObject({ vertexId: 'b' })
  })

  test('R3: a lost slot has failed, and counts as cancelled when that is asked for', () => {
    const { registry, join, deploy, send, kinds, events } = bench()
    const link = join(0)
    deploy(0)
    registry.lost(link, 'was silent for 2s')
    expect(events[0]).toMatchObject({ failure: { code: 'WEIR_SLOT_LOST', retry: 'later' } })
    send(0, { kind: 'cancel' })
    expect(kinds()).toEqual(['failed 0', 'cancelled 0'])
  })

  test('R3: a slot that is lost while it is being cancelled is cancelled', () => {
    const { registry, join, deploy, send, kinds } = bench()
    const link = join(0)
    deploy(0)
    send(0, { kind: 'cancel' })
    registry.lost(link, 'was closed')
    expect(kinds()).toEqual(['failed 0', 'cancelled 0'])
  })

  test('R3: of a slot that is lost every failover region in it hears', () => {
    const { registry, join, kinds, events } = bench()
    const link = join(0)
    const network = { generation: 1, peers: [] }
    const deploy = { kind: 'deploy', restore: undefined, ...network } as const
    for (const region of [0, 1]) registry.gateways[0]?.send({ region, attempt: 4, ...deploy })
    registry.gateways[0]?.send({ region: 1, attempt: 4, kind: 'cancel' })
    registry.receive(link, { region: 1, attempt: 4, slot: 0, kind: 'cancelled' })
    registry.gateways[0]?.send({ region: 1, attempt: 5, ...deploy })
    registry.receive(link, { region: 1, attempt: 4, slot: 0, kind: 'drained', vertexId: 'a' })
    registry.lost(link, 'was closed')
    expect(kinds()).toEqual(['cancelled 0', 'failed 0', 'failed 0'])
    expect(events.slice(1)).toMatchObject([
      { region: 0, attempt: 4 },
      { region: 1, attempt: 5 },
    ])
  })

  test('a slot that nothing was deployed to is lost without a word', () => {
    const { registry, join, kinds } = bench()
    registry.lost(join(1), 'was closed')
    expect(kinds()).toEqual([])
    expect(registry.missing).toEqual([0, 1])
  })

  test('tasks that do not stop do not keep the slot: their process is given up', () => {
    const { clock, registry, join, deploy, send, kinds, silent } = bench()
    const link = join(0)
    deploy(0)
    send(0, { kind: 'cancel' })
    clock.advance(29_000)
    expect(kinds()).toEqual([])
    clock.advance(1_000)
    expect(kinds()).toEqual(['failed 0', 'cancelled 0'])
    expect([link.isOpen, registry.missing, silent]).toEqual([false, [0, 1], [[0, 100]]])
  })

  test('tasks that stop in time are waited for, each time anew', () => {
    const { clock, registry, join, deploy, send, silent } = bench()
    const link = join(0)
    for (let attempt = 0; attempt < 3; attempt++) {
      deploy(0, attempt)
      send(0, { kind: 'cancel' }, attempt)
      clock.advance(20_000)
      registry.receive(link, { region: 0, attempt, slot: 0, kind: 'cancelled' })
    }
    expect([link.isOpen, silent, clock.pending]).toEqual([true, [], 0])
  })
})

describe('a thread that is kept', () => {
  test('is told once each time, and costs nobody his slot', () => {
    const { registry, join, deploy, kinds, notices } = bench()
    const link = join(0)
    deploy(0)
    for (const blockedMs of [0, 1_500, 2_500, 9_000, 0, 1_000, 3_000]) {
      registry.heartbeat(link, blockedMs)
    }
    expect(notices.map(notice => notice.text)).toEqual([
      expect.stringMatching(/^taskmanager 0 \(here, process 100\) has been kept/),
      expect.stringMatching(/^taskmanager 0 \(here, process 100\) has been kept/),
    ])
    expect(registry.views[0]).toMatchObject({ state: 'ready', blockedMs: 3_000 })
    expect(kinds()).toEqual([])
  })

  const unheard = { kind: 'unheard', region: 0, attempt: 0, peer: 1, silentMs: 3_000 } as const

  test('a slot that is not heard although its thread is free: the connection is broken', () => {
    const { clock, registry, join, deploy, events } = bench()
    const links = [join(0), join(1)]
    deploy(0)
    deploy(1)
    clock.advance(3_000)
    registry.unheard(links[0] as FakeLink, unheard)
    expect(events).toMatchObject([
      { kind: 'failed', slot: 0, attempt: 0, failure: { code: 'WEIR_SLOTS_CUT_OFF' } },
    ])
  })

  test('one that could not speak is waited for, until it could for as long', () => {
    const { clock, registry, join, deploy, kinds } = bench()
    const [here, there] = [join(0), join(1)]
    deploy(0)
    deploy(1)
    clock.advance(10_000)
    registry.heartbeat(there, 5_000)
    clock.advance(2_900)
    registry.unheard(here, { ...unheard, silentMs: 7_900 })
    registry.heartbeat(there, 0)
    registry.unheard(here, unheard)
    expect(kinds()).toEqual([])
    clock.advance(100)
    registry.unheard(here, { ...unheard, silentMs: 8_000 })
    expect(kinds()).toEqual(['failed 0'])
  })

  test('what is said of another attempt, or of a slot that is gone, is dropped', () => {
    const { clock, registry, join, deploy, kinds } = bench()
    const [here, there] = [join(0), join(1)]
    deploy(0)
    deploy(1)
    clock.advance(3_000)
    registry.unheard(here, { ...unheard, attempt: 7 })
    registry.lost(there, 'was closed')
    registry.unheard(here, unheard)
    expect(kinds()).toEqual(['failed 1'])
  })
})

describe('the wait for slots', () => {
  const waitFor = (registry: SlotRegistry, signal = new AbortController().signal) => {
    let state = 'waiting'
    const waited = registry.supply.whenComplete(signal).then(
      () => (state = 'complete'),
      (error: Error) => (state = error.message),
    )
    return { waited, state: () => state }
  }

  test('ends when the last one is ready', async () => {
    const { registry, join } = bench()
    const { waited } = waitFor(registry)
    join(1)
    join(0)
    expect(await waited).toBe('complete')
    expect(registry.waitingMs).toBeUndefined()
  })

  test('says now and then which are missing, and gives up in the end', async () => {
    const { registry, join, clock, notices } = bench(4)
    join(1)
    const { waited } = waitFor(registry)
    clock.advance(4_000)
    join(3)
    clock.advance(6_000)
    expect(registry.waitingMs).toBe(10_000)
    expect(notices.map(notice => notice.text)).toEqual([
      'waiting for slots 0, 2 and 3 of 4: 3s so far, at most 20s',
      'waiting for slots 0 and 2 of 4: 9s so far, at most 20s',
    ])
    clock.advance(10_000)
    expect(await waited).toBe('slots 0 and 2 of 4 did not come within 20s')
    expect(clock.pending).toBe(0)
  })

  test('ends when nobody waits any more', async () => {
    const { registry, clock } = bench()
    const gaveUp = new AbortController()
    const { waited } = waitFor(registry, gaveUp.signal)
    gaveUp.abort()
    expect(await waited).toBe('complete')
    expect(clock.pending).toBe(0)
  })
})
