/** What the API server is told of a Savepoint beside its fields. */
import {
  savepointRules,
  savepointSpecSchema,
  savepointStatusSchema,
} from '../../protocol/savepoint.ts'
import type { CustomResource } from './custom-resource.ts'
import { immutable, neverVanishes } from './server-rules.ts'

const another = 'make another Savepoint'

export const savepointCrd: CustomResource = {
  kind: 'Savepoint',
  plural: 'savepoints',
  shortName: 'svp',
  scope: 'Namespaced',
  nameChars: 63,
  spec: savepointSpecSchema,
  status: savepointStatusSchema,
  rules: savepointRules,
  serverRules: [
    immutable('spec', 'job', another),
    immutable('spec', 'existing', another),
    immutable('spec', 'format', another),
    {
      at: 'status',
      rule: '!has(oldSelf.path) || has(self.path) && self.path == oldSelf.path',
      message: 'status.path is written once: the files lie there',
    },
    neverVanishes('status', 'phase', 'it would be taken again'),
    {
      at: 'status',
      rule:
        "!has(oldSelf.phase) || !(oldSelf.phase in ['Completed', 'Failed']) || " +
        "has(self.phase) && self.phase in [oldSelf.phase, 'Disposing']",
      message: 'status.phase goes from Completed and Failed to Disposing only',
    },
    {
      at: 'status',
      rule:
        "!has(self.phase) || self.phase != 'Completed' || " +
        'has(self.path) && has(self.checkpointId)',
      message: 'status.phase is Completed only with status.path and status.checkpointId',
    },
  ],
  columns: [
    { name: 'Job', type: 'string', jsonPath: '.spec.job' },
    { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
    { name: 'Size', type: 'integer', jsonPath: '.status.sizeBytes' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Path', type: 'string', jsonPath: '.status.path', priority: 1 },
    { name: 'Pins', type: 'string', jsonPath: '.status.pins', priority: 1 },
  ],
  selectable: ['.spec.job', '.status.phase'],
}
