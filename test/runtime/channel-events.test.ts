import { expect, test } from '@jest/globals'
import { job } from '../../src/api/job.ts'
import { ChannelEvents } from '../../src/runtime/channel-events.ts'
import { makeBarrierHandler } from '../../src/runtime/checkpointing/barrier-handler.ts'
import { InputGate } from '../../src/runtime/network/input-gate.ts'
import { LocalChannel } from '../../src/runtime/network/local-channel.ts'
import { WatermarkValve } from '../../src/runtime/watermark-valve.ts'
import { openSecondChain } from './chain-fixture.ts'
import { JobRunner } from './job-runner.ts'
import { HandSource, logSink, SinkLog } from './test-connectors.ts'

function twoSources() {
  const sources = [new HandSource<number>(), new HandSource<number>()] as const
  const log = new SinkLog<string>()
  const made = job(env => {
    const [a, b] = sources.map((source, i) =>
      env.from(source, w => w.monotonous().timestamp(n => n)).uid(`s${i}`),
    )
    if (a === undefined || b === undefined) throw new Error('two sources')
    return a
      .keyBy(() => 0)
      .connect(b.keyBy(() => 0))
      .process<string>({
        processElement1(value, context, out) {
          context.timers.registerEventTimeTimer(value)
          out.collect(`a${value}`)
        },
        processElement2(value, _context, out) {
          out.collect(`b${value}`)
        },
        onTimer(timestamp, _context, out) {
          out.collect(`t${timestamp}`)
        },
      })
      .uid('both')
      .to(logSink(log))
      .uid('out')
  })
  return { sources, log, runner: new JobRunner(made) }
}

async function settle(runner: JobRunner): Promise<void> {
  for (let i = 0; i < 6; i++) await runner.step()
}

test('event time is that of the slower input', async () => {
  const { sources, log, runner } = twoSources()
  await runner.start()
  sources[0].emit(5, 10)
  await settle(runner)
  expect(log.values).toEqual(['a5', 'a10'])
  sources[1].emit(8)
  await settle(runner)
  expect(log.values).toEqual(['a5', 'a10', 'b8', 't5'])
  await runner.cancel()
})

test('E1: an input that ended no longer holds the other back; the end is the end of both', async () => {
  const { sources, log, runner } = twoSources()
  await runner.start()
  sources[0].emit(5)
  sources[1].end()
  await settle(runner)
  expect(log.values).toEqual(['a5'])
  sources[0].emit(9)
  await settle(runner)
  expect(log.values).toEqual(['a5', 'a9', 't5'])
  expect(runner.tasks.map(task => task.state)).toEqual(['running', 'drained', 'running'])
  sources[0].end()
  await runner.stepUntil(() => runner.tasks.every(task => task.state === 'drained'))
  expect(log.values).toEqual(['a5', 'a9', 't5', 't9'])
  await runner.finish()
})

test('a channel waits for the barrier of the other', async () => {
  const { sources, log, runner } = twoSources()
  await runner.start()
  await settle(runner)
  const barrier = {
    checkpointId: 1,
    timestamp: 0,
    kind: 'checkpoint',
    alignment: { kind: 'aligned' },
  } as const
  const [first, second] = runner.tasks
  sources[0].emit(1)
  await settle(runner)
  first?.control.triggerCheckpoint(barrier)
  await settle(runner)
  sources[0].emit(2)
  sources[1].emit(3)
  await settle(runner)
  expect(log.values.filter(value => !value.startsWith('t'))).toEqual(['a1', 'b3'])
  second?.control.triggerCheckpoint(barrier)
  await settle(runner)
  expect(log.values).toContain('a2')
  expect(runner.taken(1).snapshots.size).toBe(3)
  await runner.cancel()
})

test('E1: data ends once on a channel, and the task with the last one', async () => {
  const made = job(env =>
    env
      .from(new HandSource<number>())
      .uid('hand')
      .rebalance()
      .to(logSink(new SinkLog<number>()))
      .uid('out'),
  )
  const { chain } = await openSecondChain(made)
  const ends: boolean[] = []
  const events = new ChannelEvents({
    chain,
    gate: new InputGate([0, 1].map(() => ({ channel: new LocalChannel(), input: 0 }))),
    valve: new WatermarkValve(2, { emitWatermark: () => {}, emitStatus: () => {} }),
    barriers: makeBarrierHandler({ mode: 'exactly-once', channelCount: 2 }),
    partitions: [],
    snapshots: {} as ConstructorParameters<typeof ChannelEvents>[0]['snapshots'],
    services: {} as ConstructorParameters<typeof ChannelEvents>[0]['services'],
    endInputs: drain => void ends.push(drain),
  })
  events.handle({ kind: 'end-of-data', drain: true }, 0)
  expect(ends).toEqual([])
  events.handle({ kind: 'end-of-data', drain: false }, 1)
  expect(ends).toEqual([false])
  expect(() => events.handle({ kind: 'end-of-data', drain: true }, 1)).toThrow('E1')
})
