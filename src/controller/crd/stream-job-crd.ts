/** What the API server is told of a StreamJob beside its fields. */
import { type StreamJobSpec, streamJobSpecSchema } from '../../protocol/stream-job.ts'
import { streamJobRules } from '../../protocol/stream-job-rules.ts'
import { streamJobStatusSchema } from '../../protocol/stream-job-status.ts'
import type { CustomResource, ServerRule } from './custom-resource.ts'
import { neverDecreases, neverVanishes } from './server-rules.ts'

const nonces = [
  'restoreNonce',
  'restartNonce',
  'savepointNonce',
] as const satisfies readonly (keyof StreamJobSpec)[]

const specRules: readonly ServerRule[] = [
  {
    at: 'spec',
    rule: 'self.maxParallelism == oldSelf.maxParallelism',
    message: 'spec.maxParallelism cannot be changed: state is cut into that many key groups',
  },
  ...nonces.map(nonce => neverDecreases('spec', nonce)),
  neverVanishes('spec.checkpoint', 'storage', 'the state lies there; another place is an upgrade'),
]

/** The last defence against a controller that was overtaken: it binds Weir itself. */
const statusRules: readonly ServerRule[] = [
  {
    at: '',
    rule: '!has(oldSelf.status) || !has(oldSelf.status.epoch) || has(self.status)',
    message: 'status cannot be removed: it holds the epoch and the state pointer',
  },
  neverDecreases('status', 'epoch'),
  {
    at: 'status',
    rule:
      '!has(oldSelf.attempt) || has(self.attempt) && ' +
      '(self.attempt >= oldSelf.attempt || ' +
      'has(self.epoch) && has(oldSelf.epoch) && self.epoch > oldSelf.epoch)',
    message: 'status.attempt only grows within an epoch',
  },
  neverVanishes('status', 'state', 'a job never loses sight of its state'),
  {
    at: 'status.state',
    rule:
      'self.epoch > oldSelf.epoch || ' +
      'self.epoch == oldSelf.epoch && self.checkpointId >= oldSelf.checkpointId',
    message: 'status.state only goes forward, by epoch and checkpoint id',
  },
  {
    at: 'status',
    rule:
      "!has(oldSelf.phase) || oldSelf.phase != 'Finished' || " +
      "has(self.phase) && self.phase in ['Finished', 'Deleting'] || " +
      'has(self.observedGeneration) && has(oldSelf.observedGeneration) && ' +
      'self.observedGeneration > oldSelf.observedGeneration',
    message: 'status.phase stays Finished until the spec is changed',
  },
  {
    at: 'status',
    rule: '!has(self.upgrade) || has(self.revision)',
    message: 'status.upgrade needs status.revision: it says what the upgrade leads to',
  },
  {
    at: 'status',
    rule: '!has(self.slots) || has(self.selector)',
    message: 'status.slots needs status.selector: the scale subresource shows both',
  },
]

export const streamJobCrd: CustomResource = {
  kind: 'StreamJob',
  plural: 'streamjobs',
  shortName: 'sj',
  scope: 'Namespaced',
  nameChars: 45,
  spec: streamJobSpecSchema,
  status: streamJobStatusSchema,
  rules: streamJobRules,
  serverRules: [...specRules, ...statusRules],
  columns: [
    { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
    {
      name: 'Ready',
      type: 'string',
      jsonPath: ".status.conditions[?(@.type=='Ready')].status",
    },
    { name: 'Slots', type: 'integer', jsonPath: '.status.slots.ready' },
    { name: 'Checkpoint', type: 'date', jsonPath: '.status.checkpoint.completedAt' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Tenant', type: 'string', jsonPath: '.status.tenant', priority: 1 },
    { name: 'Epoch', type: 'integer', jsonPath: '.status.epoch', priority: 1 },
    {
      name: 'Reason',
      type: 'string',
      jsonPath: ".status.conditions[?(@.type=='Ready')].reason",
      priority: 1,
    },
  ],
  selectable: ['.status.phase', '.status.tenant', '.spec.state'],
  scale: {
    specReplicasPath: '.spec.parallelism',
    statusReplicasPath: '.status.slots.ready',
    labelSelectorPath: '.status.selector',
  },
}
