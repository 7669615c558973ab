/** What the API server is told of a StreamTenant beside its fields. */
import { streamTenantSpecSchema, streamTenantStatusSchema } from '../../protocol/stream-tenant.ts'
import { streamTenantRules } from '../../protocol/stream-tenant-rules.ts'
import type { CustomResource } from './custom-resource.ts'
import { neverDecreases } from './server-rules.ts'

export const streamTenantCrd: CustomResource = {
  kind: 'StreamTenant',
  plural: 'streamtenants',
  shortName: 'stt',
  scope: 'Cluster',
  nameChars: 45,
  spec: streamTenantSpecSchema,
  status: streamTenantStatusSchema,
  rules: streamTenantRules,
  serverRules: [neverDecreases('status', 'observedGeneration')],
  columns: [
    { name: 'Slots', type: 'integer', jsonPath: '.status.usage.slots' },
    { name: 'Quota', type: 'integer', jsonPath: '.spec.quota.slots' },
    { name: 'Jobs', type: 'integer', jsonPath: '.status.jobs.admitted' },
    { name: 'Queued', type: 'integer', jsonPath: '.status.jobs.queued' },
    {
      name: 'Ready',
      type: 'string',
      jsonPath: ".status.conditions[?(@.type=='Ready')].status",
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Cohort', type: 'string', jsonPath: '.spec.cohort', priority: 1 },
    { name: 'Share', type: 'integer', jsonPath: '.status.dominantShare', priority: 1 },
  ],
  selectable: [],
}
