import type { KindSamples } from './rule-samples.ts'

const minimal = { job: 'fraud-detection' }
const done = { phase: 'Completed', path: 's3://b/sp-1', checkpointId: 7 }

export const savepointSamples: KindSamples = {
  kind: 'Savepoint',
  minimal,
  right: [
    minimal,
    { existing: { path: 's3://b/sp-1' } },
    { existing: { path: 's3://b/sp-1', job: 'fraud-detection', owned: true } },
    {
      ...minimal,
      format: 'canonical',
      timeout: '5m',
      backoffLimit: -1,
      ttl: '30d',
      verify: 'restore',
    },
    { ...minimal, pinned: true, disposal: 'retain' },
  ],
  around: {
    'spec.job': {},
    'spec.existing': { existing: { path: 's3://b/sp-1', job: 'fraud-detection' } },
  },
  broken: [
    {
      path: 'spec',
      says: 'exactly one of job and existing',
      spec: { ...minimal, existing: { path: 'a' } },
    },
    {
      path: 'spec.existing.owned',
      says: 'needs spec.existing.job',
      spec: { existing: { path: 's3://b/sp-1', owned: true } },
    },
    {
      path: 'spec.format',
      says: 'native is not there yet',
      spec: { ...minimal, format: 'native' },
    },
    {
      path: 'spec.ttl',
      says: 'whose files are never deleted',
      spec: { existing: { path: 'a' }, ttl: '1d' },
    },
    {
      path: 'spec.ttl',
      says: 'which never expires',
      spec: { ...minimal, pinned: true, ttl: '1d' },
    },
    {
      path: 'spec.ttl',
      says: 'needs disposal: delete',
      spec: { ...minimal, disposal: 'retain', ttl: '1d' },
    },
  ],
  transitions: [
    {
      says: 'spec.job cannot be changed',
      part: 'spec',
      old: minimal,
      passes: { ...minimal, pinned: true },
      fails: { job: 'another' },
    },
    {
      says: 'spec.existing cannot be changed',
      part: 'spec',
      old: { existing: { path: 'a' } },
      passes: { existing: { path: 'a' }, pinned: true },
      fails: { existing: { path: 'b' } },
    },
    {
      says: 'spec.format cannot be changed',
      part: 'spec',
      old: minimal,
      passes: { ...minimal, format: 'canonical' },
      fails: { ...minimal, format: 'native' },
    },
    {
      says: 'status.path is written once',
      part: 'status',
      old: { status: { path: 's3://b/sp-1' } },
      passes: { status: { path: 's3://b/sp-1', sizeBytes: 3 } },
      fails: { status: { path: 's3://b/sp-2' } },
    },
    {
      says: 'status.phase cannot be removed',
      part: 'status',
      old: { status: { phase: 'InProgress' } },
      passes: { status: { phase: 'Failed' } },
      fails: { status: {} },
    },
    {
      says: 'goes from Completed and Failed to Disposing only',
      part: 'status',
      old: { status: done },
      passes: { status: { ...done, phase: 'Disposing' } },
      fails: { status: { ...done, phase: 'InProgress' } },
    },
    {
      says: 'is Completed only with status.path',
      part: 'status',
      old: { status: { phase: 'InProgress' } },
      passes: { status: done },
      fails: { status: { phase: 'Completed', path: 's3://b/sp-1' } },
    },
  ],
}
