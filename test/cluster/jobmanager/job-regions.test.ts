import { expect, test } from '@jest/globals'
import { job } from '../../../src/api/job.ts'
import { JobRegions } from '../../../src/cluster/jobmanager/job-regions.ts'
import type { SlotEvent } from '../../../src/cluster/slot-messages.ts'
import { collectionSource } from '../../../src/connectors/collection/collection-source.ts'
import { planJob } from '../../../src/graph/build-job-graph.ts'
import { buildExecutionPlan } from '../../../src/graph/execution-plan.ts'
import { collectSink } from '../../../src/testing/collect-sink.ts'

/** Two slices, and a shuffle over both slots: regions 0, 1 and 2. */
const graph = planJob(
  job(env => {
    env
      .from(collectionSource([1]))
      .uid('a')
      .to(collectSink())
      .uid('a-out')
    const b = env.from(collectionSource([2])).uid('b')
    b.rebalance().to(collectSink()).uid('b-out')
  }),
  { parallelism: 2 },
)

function bench() {
  const sent: string[] = []
  const slots = [0, 1].map(slot => ({
    send: (command: { region: number; attempt: number; kind: string }) =>
      void sent.push(`${slot}: ${command.kind} ${command.region}.${command.attempt}`),
  }))
  const regions = new JobRegions(buildExecutionPlan(graph), slots)
  const deploy = (region: number, attempt: number): void =>
    regions.deploy({ region, attempt }, () => ({
      kind: 'deploy',
      restore: undefined,
      generation: 1,
      peers: [],
    }))
  return { regions, sent, deploy }
}

const event = (region: number, attempt: number, kind: string): SlotEvent =>
  ({ region, attempt, slot: 0, kind }) as SlotEvent

test('a region is deployed to its slots, and told there', () => {
  const { regions, sent, deploy } = bench()
  expect(regions.all).toEqual([0, 1, 2])
  expect(regions.slotsOf([2])).toEqual([0, 1])
  deploy(1, 0)
  deploy(2, 0)
  regions.tellAll({ kind: 'complete', checkpointId: 1 })
  regions.tell('b/1', { kind: 'finish' })
  // Nothing of region 0 runs: whoever else runs there hears it.
  regions.tellSlot(0, { kind: 'align', others: [] })
  regions.tell('a/0', { kind: 'finish' })
  expect(sent).toEqual([
    '1: deploy 1.0',
    '0: deploy 2.0',
    '1: deploy 2.0',
    '1: complete 1.0',
    '0: complete 2.0',
    '1: complete 2.0',
    '1: finish 2.0',
    '0: align 2.0',
  ])
})

test('JR1: a region is deployed again after all its slots have stopped', async () => {
  const { regions, deploy } = bench()
  deploy(2, 0)
  let isOver = false
  const stopping = regions.stop(2).then(() => {
    isOver = true
  })
  regions.stopped(2, 0)
  await Promise.resolve()
  expect([isOver, regions.isIdle(2)]).toEqual([false, false])
  expect(() => deploy(2, 1)).toThrow('JR1')
  regions.stopped(2, 1)
  await stopping
  deploy(2, 1)
  expect(regions.hears(event(2, 1, 'running'))).toBe(true)
})

test('JR2: of an attempt that was cancelled only its end is heard, and nothing is told', () => {
  const { regions, sent, deploy } = bench()
  deploy(0, 0)
  void regions.stop(0)
  void regions.stop(0)
  regions.tellAll({ kind: 'complete', checkpointId: 1 })
  expect(sent).toEqual(['0: deploy 0.0', '0: cancel 0.0'])
  const heard = ['running', 'failed', 'cancelled'].map(kind => regions.hears(event(0, 0, kind)))
  expect(heard).toEqual([false, true, true])
  regions.stopped(0, 0)
  expect(regions.hears(event(0, 0, 'failed'))).toBe(false)
  deploy(0, 1)
  expect(regions.hears(event(0, 0, 'running'))).toBe(false)
  expect(regions.hears(event(1, 1, 'running'))).toBe(false)
})

test('what never ran is stopped at once', async () => {
  const { regions, sent } = bench()
  await regions.stop(1)
  expect(sent).toEqual([])
})
