/** Sources and sinks that can be planned but never run. */
import type { Sink } from '../../src/api/sink.ts'
import type { Source } from '../../src/api/source.ts'
import type { Schema } from '../../src/schema/type.ts'

export interface FakeSourceOptions {
  readonly name?: string
  readonly boundedness?: 'bounded' | 'unbounded'
}

export function fakeSource<T>(output?: Schema<T>, options: FakeSourceOptions = {}): Source<T> {
  return {
    name: options.name ?? 'fake-source',
    boundedness: options.boundedness ?? 'bounded',
    output,
    createEnumerator: neverRun,
    createReader: neverRun,
  }
}

export interface FakeSinkOptions {
  readonly name?: string
  readonly delivery?: 'exactly-once' | 'at-least-once'
  readonly committer?: boolean
  readonly stateful?: boolean
}

export function fakeSink<T>(options: FakeSinkOptions = {}): Sink<T> {
  return {
    name: options.name ?? 'fake-sink',
    delivery: options.delivery ?? 'at-least-once',
    ...(options.stateful === undefined ? {} : { stateful: options.stateful }),
    ...(options.committer ? { createCommitter: neverRun } : {}),
    createWriter: neverRun,
  }
}

function neverRun(): never {
  throw new Error('only planned, never run')
}
