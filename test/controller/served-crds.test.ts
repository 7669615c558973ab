import { expect, test } from '@jest/globals'
import { crdDocument } from '../../src/controller/crd/custom-resource.ts'
import { customResources } from '../../src/controller/crd/custom-resources.ts'
import { compareCrd, hindranceOf } from '../../src/controller/served-crds.ts'
import { olderCrd, partOf } from './older-crd.ts'

const jobCrd = () => {
  const found = customResources
    .map(crdDocument)
    .find(one => one.metadata.name.startsWith('streamj'))
  if (found === undefined) throw new Error('there is a CRD of StreamJobs')
  return found
}

test('a CRD of this version has all', () => {
  const same = compareCrd(jobCrd(), jobCrd())
  expect(same).toEqual({ name: 'streamjobs.weir.dev', finding: 'same', lacks: [] })
  expect(hindranceOf([same])).toBeUndefined()
})

test('so has one of a newer version', () => {
  const newer = structuredClone(jobCrd())
  newer.metadata.annotations = {}
  Object.assign(partOf(newer, ['spec']).properties ?? {}, { colour: { type: 'string' } })
  expect(compareCrd(jobCrd(), newer)).toMatchObject({ finding: 'other', lacks: [] })
})

test('one that lacks fields of a spec is told of, and does not keep the controller away', () => {
  const found = compareCrd(jobCrd(), olderCrd(jobCrd(), ['spec.rollback', 'spec.job.bundle']))
  expect(found).toMatchObject({ finding: 'other', lacks: ['spec.job.bundle', 'spec.rollback'] })
  expect(hindranceOf([found])).toBeUndefined()
})

test('one that lacks fields of a status does, with their paths', () => {
  const older = olderCrd(jobCrd(), ['status.upgrade.startingAt', 'status.orders'])
  const phases = partOf(older, ['status', 'phase'])
  phases.enum = (phases.enum as string[]).filter(one => one !== 'RollingBack')
  const text = hindranceOf([compareCrd(jobCrd(), older)])
  for (const lost of ['status.upgrade.startingAt', 'status.orders', 'status.phase: RollingBack']) {
    expect(text).toContain(lost)
  }
})

test('so does one that is not there', () => {
  expect(hindranceOf([compareCrd(jobCrd(), undefined)])).toContain('streamjobs.weir.dev is missing')
})
