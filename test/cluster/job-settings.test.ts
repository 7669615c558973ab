import { expect, test } from '@jest/globals'
import { settingsOf } from '../../src/cluster/job-settings.ts'
import { parseStreamJob } from '../../src/protocol/parse-stream-job.ts'
import type { BarrierAlignment } from '../../src/runtime/task-contract.ts'

function alignmentOf(checkpoint: string): BarrierAlignment {
  const text = `apiVersion: weir.dev/v1alpha1
kind: StreamJob
metadata: { name: settings }
spec:
  job: { module: job.ts }
  checkpoint: { ${checkpoint} }
`
  const { spec } = parseStreamJob({ text, file: 'job.yaml' }).manifest
  return settingsOf(spec).checkpoint.alignment
}

test.each<[string, BarrierAlignment]>([
  ['interval: 1s', { kind: 'aligned' }],
  ['alignment: unaligned', { kind: 'unaligned' }],
  ['alignment: timeout, alignmentTimeout: 5s', { kind: 'timeout', timeoutMs: 5_000 }],
  // As in Flink: no patience at all.
  ['alignment: timeout, alignmentTimeout: 0ms', { kind: 'unaligned' }],
  ['mode: at-least-once', { kind: 'aligned' }],
])('%s', (checkpoint, wanted) => {
  expect(alignmentOf(checkpoint)).toEqual(wanted)
})
