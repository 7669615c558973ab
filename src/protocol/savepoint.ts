/**
 * The Savepoint resource, v1alpha1: asks for one savepoint of a job, or adopts a folder that holds
 * one. What it asks for never changes; a second savepoint is a second resource.
 */
import { z } from 'zod'
import { celOneOf } from './cel-text.ts'
import { durationField, integerField, nameField, textField } from './manifest-fields.ts'
import { has, type ManifestRule } from './manifest-rule.ts'
import { manifestOf } from './manifest-shape.ts'
import { conditionsField, statusText, timeField } from './status-fields.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

export const savepointSpecSchema = z.strictObject({
  /** The StreamJob of this namespace to take it of. */
  job: nameField(45).optional(),
  /** A savepoint that exists already. */
  existing: z
    .strictObject({
      path: textField(1024),
      /** The StreamJob of this namespace that it was taken of. */
      job: nameField(45).optional(),
      /** Its files go with the resource, by the rights of that job. */
      owned: z.boolean().default(false),
    })
    .optional(),
  format: z.enum(['canonical', 'native']).default('canonical'),
  timeout: durationField(1_000, DAY_MS, '10m').default('10m'),
  /** Tries after the first; -1: without end. */
  backoffLimit: integerField(-1, 1_000).default(3),
  /** What deleting the resource does to the files. */
  disposal: z.enum(['delete', 'retain']).default('delete'),
  /** It expires so long after it completed. */
  ttl: durationField(MINUTE_MS, 3_650 * DAY_MS, '30d').optional(),
  pinned: z.boolean().default(false),
  verify: z.enum(['none', 'checksum', 'restore']).default('checksum'),
})

export type SavepointSpec = z.output<typeof savepointSpecSchema>

export const savepointSchema = manifestOf({
  kind: 'Savepoint',
  nameChars: 63,
  spec: savepointSpecSchema,
})

export const savepointRules: readonly ManifestRule<SavepointSpec>[] = [
  {
    path: 'spec',
    holds: spec => has(spec.job) !== has(spec.existing),
    problem: 'expected exactly one of job and existing',
    fix: 'keep one of them, such as job: fraud-detection',
    cel: { at: 'spec', rule: celOneOf('job', 'existing') },
  },
  {
    path: 'spec.existing.owned',
    holds: ({ existing }) => existing === undefined || !existing.owned || has(existing.job),
    problem: 'needs spec.existing.job, by whose rights the files are removed',
    fix: 'add job: fraud-detection, or remove owned',
    cel: { at: 'spec.existing', rule: '!self.owned || has(self.job)' },
  },
  {
    // What a later version does.
    path: 'spec.format',
    holds: spec => spec.format === 'canonical',
    problem: 'native is not there yet',
    fix: 'write format: canonical',
    cel: { at: 'spec', rule: "self.format == 'canonical'" },
  },
  {
    path: 'spec.ttl',
    holds: spec => !has(spec.ttl) || !has(spec.existing),
    problem: 'has no meaning with existing, whose files are never deleted',
    fix: 'remove ttl',
    cel: { at: 'spec', rule: '!has(self.ttl) || !has(self.existing)' },
  },
  {
    path: 'spec.ttl',
    holds: spec => !has(spec.ttl) || !spec.pinned,
    problem: 'has no meaning with pinned: true, which never expires',
    fix: 'remove ttl, or write pinned: false',
    cel: { at: 'spec', rule: '!has(self.ttl) || !self.pinned' },
  },
  {
    path: 'spec.ttl',
    holds: spec => !has(spec.ttl) || spec.disposal === 'delete',
    problem: 'needs disposal: delete',
    fix: 'remove ttl, or write disposal: delete',
    cel: { at: 'spec', rule: "!has(self.ttl) || self.disposal == 'delete'" },
  },
]

export const savepointStatusSchema = z.strictObject({
  phase: z.enum(['Pending', 'InProgress', 'Completed', 'Failed', 'Disposing']).optional(),
  observedGeneration: integerField(0).optional(),
  path: statusText(1024).optional(),
  epoch: integerField(0).optional(),
  checkpointId: integerField(0).optional(),
  sizeBytes: integerField(0).optional(),
  checksum: statusText(128).optional(),
  formatVersion: integerField(1).optional(),
  revision: statusText(253).optional(),
  startedAt: timeField().optional(),
  completedAt: timeField().optional(),
  verifiedAt: timeField().optional(),
  failures: integerField(0).optional(),
  /** When the next try begins. */
  retryAt: timeField().optional(),
  error: z.strictObject({ code: statusText(64), message: statusText(1024) }).optional(),
  /** Who still needs it: it is not deleted before. */
  pins: z.array(statusText(253)).max(32).optional(),
  tenant: statusText(63).optional(),
  conditions: conditionsField(),
})
