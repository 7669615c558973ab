import { describe, expect, test } from '@jest/globals'
import { nextWakeMs } from '../../src/checkpoint/coordinator-state.ts'
import { CoordinatorBench, short } from './coordinator-bench.ts'

describe('a checkpoint', () => {
  test('goes from its id to its completion, metadata before commit', () => {
    const bench = new CoordinatorBench().run()
    expect(bench.at(99)).toEqual([])
    expect(bench.at(100)).toEqual(['reserve-id 1'])
    expect(bench.reserved(1)).toEqual(['trigger 1'])
    expect(bench.ack(1, 'a/0')).toEqual([])
    expect(bench.ack(1, 'b/0')).toEqual(['write-metadata 1'])
    expect(bench.written(1)).toEqual(['verify-generation 1'])
    expect(bench.verified(1)).toEqual(['complete 1'])
    expect(bench.at(200)).toEqual(['reserve-id 2'])
  })

  test('hands every part to the metadata', () => {
    const bench = new CoordinatorBench().run()
    bench.at(100)
    bench.reserved(1)
    bench.ack(1, 'b/0')
    bench.ack(1, 'a/0')
    const write = bench.log.find(decision => decision.kind === 'write-metadata')
    expect(write?.kind === 'write-metadata' && [...write.parts].sort()).toEqual([
      ['a/0', '1:a/0'],
      ['b/0', '1:b/0'],
    ])
  })

  test('does not start before all subtasks run', () => {
    const bench = new CoordinatorBench()
    expect(nextWakeMs(bench.state)).toBe(Number.POSITIVE_INFINITY)
    expect(bench.at(1_000)).toEqual([])
  })

  test('gets an id above all ids ever reserved', () => {
    const bench = new CoordinatorBench({}, { lastId: 41 }).run()
    expect(bench.at(100)).toEqual(['reserve-id 42'])
  })

  test('an acknowledgement that came twice counts once', () => {
    const bench = new CoordinatorBench().run()
    bench.at(100)
    bench.reserved(1)
    bench.ack(1, 'a/0')
    expect(bench.ack(1, 'a/0')).toEqual([])
    expect(bench.ack(1, 'b/0')).toEqual(['write-metadata 1'])
    expect(bench.ack(1, 'b/0')).toEqual([])
  })

  test('expires after its timeout, and names who is missing', () => {
    const bench = new CoordinatorBench({ tolerableFailures: 1 }).run()
    bench.at(100)
    bench.reserved(1)
    bench.ack(1, 'a/0')
    expect(nextWakeMs(bench.state)).toBe(1_100)
    expect(bench.at(1_099)).toEqual([])
    expect(bench.at(1_100)).toEqual(['abort 1', 'reserve-id 2'])
    const abort = bench.log.find(decision => decision.kind === 'abort')
    expect(abort).toMatchObject({ reason: 'it did not finish in 1s: nothing from b/0' })
  })

  test('does not expire while its metadata is being written', () => {
    const bench = new CoordinatorBench().run()
    bench.at(100)
    bench.reserved(1)
    bench.ack(1, 'a/0')
    bench.ack(1, 'b/0')
    expect(bench.at(5_000)).toEqual([])
    expect(bench.written(1)).toEqual(['verify-generation 1'])
  })

  test('a late part of one that was given up is discarded', () => {
    const bench = new CoordinatorBench({ tolerableFailures: 1 }).run()
    bench.at(100)
    bench.reserved(1)
    bench.failed(1)
    expect(bench.ack(1, 'b/0')).toEqual(['discard 1'])
  })
})

describe('the time of the next one', () => {
  test('counts from the trigger', () => {
    const bench = new CoordinatorBench().run()
    bench.at(150)
    bench.complete(1)
    expect(nextWakeMs(bench.state)).toBe(250)
  })

  test('waits for room, then does not make up for what was missed', () => {
    const bench = new CoordinatorBench().run()
    bench.at(100)
    bench.reserved(1)
    expect(bench.at(350)).toEqual([])
    expect(bench.complete(1)).toEqual(['complete 1', 'reserve-id 2'])
    expect(nextWakeMs(bench.state)).toBe(1_350)
  })

  test('keeps the pause after a completion', () => {
    const bench = new CoordinatorBench({ minPauseMs: 80 }).run()
    bench.at(100)
    bench.nowMs = 190
    bench.complete(1)
    expect(nextWakeMs(bench.state)).toBe(270)
    expect(bench.at(269)).toEqual([])
    expect(bench.at(270)).toEqual(['reserve-id 2'])
  })

  test('without an interval none is taken but those asked for', () => {
    const bench = new CoordinatorBench({ intervalMs: undefined }).run()
    expect(nextWakeMs(bench.state)).toBe(Number.POSITIVE_INFINITY)
    expect(bench.ask('r', 'checkpoint')).toEqual(['reserve-id 1'])
    expect(bench.complete(1)).toEqual(['complete 1', 'answer r completed'])
  })
})

describe('failures', () => {
  test('the first one too many fails the job and ends the coordinator', () => {
    const bench = new CoordinatorBench({ tolerableFailures: 2 }).run()
    for (const id of [1, 2]) {
      bench.at(id * 100)
      expect(bench.failed(id)).toEqual([`abort ${id} keeping its files`])
    }
    bench.at(300)
    expect(bench.failed(3)).toEqual(['abort 3 keeping its files', 'fail-job'])
    expect(bench.at(10_000)).toEqual([])
  })

  test('a completion forgets them', () => {
    const bench = new CoordinatorBench({ tolerableFailures: 1 }).run()
    bench.at(100)
    bench.failed(1)
    bench.at(200)
    bench.complete(2)
    bench.at(300)
    expect(bench.failed(3)).toEqual(['abort 3 keeping its files'])
  })

  test('each checkpoint fails once, however many subtasks decline it', () => {
    const bench = new CoordinatorBench({ tolerableFailures: 1 }).run()
    bench.at(100)
    bench.failed(1)
    expect(bench.failed(1)).toEqual([])
    expect(bench.state.failuresInRow).toBe(1)
  })

  test('one whose metadata may be stored keeps its files until the next completes', () => {
    const bench = new CoordinatorBench({ tolerableFailures: 1 }).run()
    bench.at(100)
    bench.reserved(1)
    bench.ack(1, 'a/0')
    bench.ack(1, 'b/0')
    expect(bench.failed(1, 'the answer got lost')).toEqual(['abort 1 keeping its files'])
    bench.at(200)
    expect(bench.complete(2)).toEqual(['complete 2', 'delete 1'])
  })
})

describe('C8: where barriers overtake', () => {
  const overtaking = { overtaking: true, maxConcurrent: 3, intervalMs: 100 }

  test('one checkpoint is taken at a time, whatever the limit', () => {
    const bench = new CoordinatorBench(overtaking).run()
    expect(bench.at(100)).toEqual(['reserve-id 1'])
    expect(bench.at(200)).toEqual([])
    expect(bench.complete(1)).toEqual(['complete 1', 'reserve-id 2'])
  })

  test('a savepoint waits for the checkpoint, and the next checkpoint for it', () => {
    const bench = new CoordinatorBench(overtaking).run()
    bench.at(100)
    bench.reserved(1)
    expect(bench.ask('s')).toEqual([])
    expect(bench.ask('t', 'checkpoint')).toEqual([])
    bench.at(200)
    expect(bench.complete(1)).toEqual(['complete 1', 'reserve-id 2'])
    expect(bench.complete(2)).toEqual(['savepoint-done 2', 'answer s completed', 'reserve-id 3'])
    expect(bench.complete(3)).toEqual([
      'complete 3',
      'answer t completed',
      'delete 1',
      'reserve-id 4',
    ])
  })

  test('what waited begins also when the one before it fails', () => {
    const bench = new CoordinatorBench({ ...overtaking, tolerableFailures: 1 }).run()
    bench.at(100)
    bench.reserved(1)
    bench.ask('s')
    expect(bench.failed(1)).toEqual(['abort 1', 'reserve-id 2'])
  })

  test('with nothing pending nobody waits', () => {
    expect(new CoordinatorBench(overtaking).run().ask('s')).toEqual(['reserve-id 1'])
  })

  test('the final checkpoint waits too, and is aligned', () => {
    const bench = new CoordinatorBench(overtaking).run()
    bench.at(100)
    bench.reserved(1)
    expect(bench.drained()).toEqual([])
    expect(bench.complete(1)).toEqual(['complete 1', 'reserve-id 2'])
    expect(bench.reserved(2)).toEqual(['trigger 2 aligned'])
  })

  test('who waits is answered when the job ends, and counts against the limit', () => {
    const bench = new CoordinatorBench(overtaking).run()
    bench.at(100)
    for (let i = 0; i < 8; i++) expect(bench.ask(`s${i}`)).toEqual([])
    expect(bench.ask('s8')).toEqual(['answer s8 failed'])
    const halted = short(bench.tell({ kind: 'halted', reason: 'over' }))
    expect(halted.filter(decision => decision.startsWith('answer'))).toHaveLength(8)
    expect(bench.state.waiting).toEqual([])
  })

  test('the same when a newer jobmanager took over', () => {
    const bench = new CoordinatorBench(overtaking).run()
    bench.at(100)
    bench.ask('s')
    expect(short(bench.tell({ kind: 'fenced', by: 9 }))).toContain('answer s failed')
  })

  test('periodic checkpoints overtake, savepoints do not', () => {
    const bench = new CoordinatorBench(overtaking).run()
    bench.at(100)
    expect(bench.reserved(1)).toEqual(['trigger 1'])
    bench.complete(1)
    expect(bench.ask('s')).toEqual(['reserve-id 2'])
    expect(bench.reserved(2)).toEqual(['trigger 2 aligned'])
  })
})

describe('room', () => {
  test.each([1, 2, 5])('as many as %i run at once; each that ends makes room for one', most => {
    const bench = new CoordinatorBench({ maxConcurrent: most }).run()
    for (let id = 1; id <= most; id++) {
      expect(bench.at(id * 100)).toEqual([`reserve-id ${id}`])
      bench.reserved(id)
    }
    expect(bench.at((most + 1) * 100)).toEqual([])
    expect(bench.declined(1)).toEqual(['abort 1', `reserve-id ${most + 1}`])
    expect(bench.at((most + 1) * 100 + 99)).toEqual([])
  })

  test('savepoints neither need room nor take it, and wait for no pause', () => {
    const bench = new CoordinatorBench({ minPauseMs: 1_000, timeoutMs: 9_000 }).run()
    bench.at(100)
    bench.reserved(1)
    expect(bench.ask('s')).toEqual(['reserve-id 2'])
    expect(bench.ask('t')).toEqual(['reserve-id 3'])
    expect(bench.complete(1)).toEqual(['complete 1'])
    expect(bench.ask('u')).toEqual(['reserve-id 4'])
    expect(bench.at(1_099)).toEqual([])
    expect(bench.at(1_100)).toEqual(['reserve-id 5'])
  })

  test('each expires by itself', () => {
    const bench = new CoordinatorBench({ maxConcurrent: 2, tolerableFailures: 5 }).run()
    bench.at(100)
    bench.reserved(1)
    bench.at(200)
    bench.reserved(2)
    expect(bench.at(1_100)).toEqual(['abort 1', 'reserve-id 3'])
    expect(bench.complete(2)).toEqual(['complete 2'])
  })
})

describe('what is unknown', () => {
  test('parts of a checkpoint that never was are removed', () => {
    const bench = new CoordinatorBench().run()
    expect(bench.ack(9, 'a/0')).toEqual(['discard 9'])
  })

  test('parts of one that completed stay', () => {
    const bench = new CoordinatorBench().run()
    bench.at(100)
    bench.complete(1)
    expect(bench.ack(1, 'a/0')).toEqual([])
  })

  test('its failure is nobody’s', () => {
    const bench = new CoordinatorBench().run()
    expect([bench.failed(9), bench.declined(9), bench.verified(9)]).toEqual([[], [], []])
  })
})

describe('several at once', () => {
  test('a newer one that completes first subsumes the older', () => {
    const bench = new CoordinatorBench({ maxConcurrent: 2 }).run()
    bench.at(100)
    bench.reserved(1)
    bench.at(200)
    expect(bench.complete(2)).toEqual(['complete 2', 'abort 1'])
    expect(bench.state.failuresInRow).toBe(0)
    expect(bench.ack(1, 'a/0')).toEqual(['discard 1'])
  })

  test('a subsumed one that is found stored afterwards is deleted', () => {
    const bench = new CoordinatorBench({ maxConcurrent: 2 }).run()
    bench.at(100)
    bench.at(200)
    bench.reserved(1)
    bench.ack(1, 'a/0')
    bench.ack(1, 'b/0')
    expect(bench.complete(2)).toEqual(['complete 2', 'abort 1 keeping its files', 'delete 1'])
    expect(bench.written(1)).toEqual(['delete 1'])
  })

  test('a savepoint is not subsumed and commits nothing', () => {
    const bench = new CoordinatorBench().run()
    expect(bench.ask('s')).toEqual(['reserve-id 1'])
    bench.at(100)
    expect(bench.complete(2)).toEqual(['complete 2'])
    expect(bench.complete(1)).toEqual(['savepoint-done 1', 'answer s completed'])
  })

  test('a savepoint that fails is its own matter', () => {
    const bench = new CoordinatorBench().run()
    bench.ask('s')
    expect(bench.failed(1)).toEqual(['abort 1 keeping its files', 'answer s failed'])
  })

  test('more requests than can be served are refused', () => {
    const bench = new CoordinatorBench().run()
    for (let i = 0; i < 8; i++) bench.ask(`s${i}`)
    expect(bench.ask('s8')).toEqual(['answer s8 failed'])
  })
})

describe('retention', () => {
  test('R1: the newest stay, the others are deleted after the newer completed', () => {
    const bench = new CoordinatorBench({ retained: 2 }).run()
    for (const id of [1, 2]) {
      bench.at(id * 100)
      expect(bench.complete(id)).toEqual([`complete ${id}`])
    }
    bench.at(300)
    expect(bench.complete(3)).toEqual(['complete 3', 'delete 1'])
  })

  test('R2: what a user relies on stays', () => {
    const bench = new CoordinatorBench()
    bench.state = { ...bench.state, lastId: 5, completed: [{ id: 5, pinned: true }] }
    bench.run().at(100)
    expect(bench.complete(6)).toEqual(['complete 6'])
    bench.at(200)
    expect(bench.complete(7)).toEqual(['complete 7', 'delete 6'])
  })
})

describe('the end', () => {
  test('one more checkpoint after all subtasks drained, without pause or room', () => {
    const bench = new CoordinatorBench({ minPauseMs: 1_000 }).run()
    bench.at(100)
    bench.reserved(1)
    expect(bench.drained()).toEqual(['reserve-id 2'])
    expect(bench.drained()).toEqual([])
    expect(bench.complete(2)).toEqual(['complete 2 final checkpoint', 'abort 1'])
    expect(bench.at(10_000)).toEqual([])
  })

  test('a final one that fails is tried again', () => {
    const bench = new CoordinatorBench({ tolerableFailures: 1 }).run()
    bench.drained()
    expect(bench.failed(1)).toEqual(['abort 1 keeping its files'])
    expect(bench.at(999)).toEqual([])
    expect(bench.at(1_000)).toEqual(['reserve-id 2'])
    expect(bench.complete(2)).toEqual(['complete 2 final checkpoint'])
  })

  test('C9: it may be a savepoint, which then commits, and deletes no checkpoint', () => {
    const bench = new CoordinatorBench().run()
    bench.at(100)
    bench.complete(1)
    expect(bench.drained('savepoint')).toEqual(['reserve-id 2'])
    expect(bench.complete(2)).toEqual(['complete 2 final savepoint'])
    expect(bench.log.filter(one => one.kind === 'write-metadata').at(-1)).toMatchObject({
      snapshot: 'savepoint',
      final: true,
    })
  })

  test.each([
    ['while parts come', 'abort 1'],
    ['while its metadata is written', 'abort 1 keeping its files'],
  ])('C9: a final savepoint that fails %s fails the job, whatever is tolerated', (when, abort) => {
    const bench = new CoordinatorBench({ tolerableFailures: 9 }).run()
    bench.drained('savepoint')
    bench.reserved(1)
    if (when.includes('metadata')) for (const task of ['a/0', 'b/0']) bench.ack(1, task)
    expect(bench.failed(1, 'no room')).toEqual([abort, 'fail-job'])
    expect(bench.log.at(-1)).toMatchObject({ reason: 'savepoint 1 failed: no room' })
    expect(bench.at(10_000)).toEqual([])
  })

  test('C7: a final savepoint that may be found is not removed by what follows', () => {
    const bench = new CoordinatorBench().run()
    bench.drained('savepoint')
    bench.reserved(1)
    for (const task of ['a/0', 'b/0']) bench.ack(1, task)
    bench.failed(1, 'the answer got lost')
    expect(bench.state.doubtful).toEqual([])
  })

  test('it waits for a savepoint that was asked for before', () => {
    const bench = new CoordinatorBench().run()
    bench.ask('s')
    expect(bench.drained()).toEqual([])
    expect(bench.complete(1)).toEqual(['savepoint-done 1', 'answer s completed', 'reserve-id 2'])
    expect(bench.complete(2)).toEqual(['complete 2 final checkpoint'])
    expect(bench.ask('t')).toEqual(['answer t failed'])
  })

  test.each([
    ['its id is reserved', 'abort 1 keeping its files'],
    ['parts come', 'abort 1'],
  ])('a savepoint that is asked for while %s is taken before it', (when, abort) => {
    const bench = new CoordinatorBench({ overtaking: when === 'parts come' }).run()
    bench.drained()
    if (when === 'parts come') bench.reserved(1)
    expect(bench.ask('s')).toEqual([abort, 'reserve-id 2'])
    expect(bench.at(5)).toEqual([])
    expect(bench.complete(2)).toEqual(['savepoint-done 2', 'answer s completed', 'reserve-id 3'])
    expect(bench.complete(3)).toEqual(['complete 3 final checkpoint'])
  })

  test('a savepoint that fails then does not keep the job from its end', () => {
    const bench = new CoordinatorBench().run()
    bench.drained()
    bench.ask('s')
    expect(bench.failed(2)).toEqual([
      'abort 2 keeping its files',
      'answer s failed',
      'reserve-id 3',
    ])
    expect(bench.complete(3)).toEqual(['complete 3 final checkpoint'])
  })

  test('what is asked for while it is being stored comes too late', () => {
    const bench = new CoordinatorBench().run()
    bench.drained()
    bench.reserved(1)
    for (const task of ['a/0', 'b/0']) bench.ack(1, task)
    expect(bench.ask('s')).toEqual(['answer s failed'])
    expect(bench.drained('savepoint')).toEqual([])
    bench.written(1)
    expect(bench.verified(1)).toEqual(['complete 1 final checkpoint'])
  })

  test('C9: it becomes a savepoint where somebody stops the job with one', () => {
    const bench = new CoordinatorBench().run()
    bench.drained()
    bench.reserved(1)
    expect(bench.drained('savepoint')).toEqual(['abort 1', 'reserve-id 2'])
    // Of the two the one that ends the job is what everybody waits for.
    expect(bench.ask('s')).toEqual(['answer s failed'])
    expect(bench.complete(2)).toEqual(['complete 2 final savepoint'])
  })
})

describe('a newer generation', () => {
  test.each(['while the id is reserved', 'after the metadata was written'])(
    'C5: seen %s stops everything: nothing is committed, aborted or deleted',
    when => {
      const bench = new CoordinatorBench({ tolerableFailures: 5 }).run()
      bench.at(100)
      if (when.startsWith('after')) {
        bench.reserved(1)
        bench.ack(1, 'a/0')
        bench.ack(1, 'b/0')
        bench.written(1)
      }
      expect(short(bench.tell({ kind: 'fenced', by: 7 }))).toEqual(['stop 7'])
      expect(bench.verified(1)).toEqual([])
      expect(bench.ack(1, 'a/0')).toEqual([])
      expect(bench.at(10_000)).toEqual([])
    },
  )
})
