/** What a rollback leaves as it is: all that revisions do not differ in. */
import { expect, test } from '@jest/globals'
import { keptByRollback } from '../../../src/cli/kubectl/rollback-job.ts'
import { diffOf } from '../../../src/controller/streamjob/diff-class.ts'
import { type StreamJobSpec, streamJobSpecSchema } from '../../../src/protocol/stream-job.ts'

const spec = streamJobSpecSchema.parse({ job: { module: 'a.ts' } })
const nonces = ['restartNonce', 'restoreNonce']

test.each(Object.keys(streamJobSpecSchema.shape))('%s', field => {
  const changed = { ...spec, [field]: 'another' } as unknown as StreamJobSpec
  const isPartOfRevision = diffOf(spec, changed).kind !== 'ignore'
  const isKept = keptByRollback.includes(field)
  expect(isKept).toBe(!isPartOfRevision || nonces.includes(field))
})
