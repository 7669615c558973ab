/** The health check for Argo CD reads nothing that is not there, and every field that it needs. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from '@jest/globals'
import { crdDocument } from '../../src/controller/crd/custom-resource.ts'
import { customResources } from '../../src/controller/crd/custom-resources.ts'
import { jobConditions } from '../../src/controller/streamjob/finding.ts'
import { partOf } from '../controller/older-crd.ts'

const root = resolve(import.meta.dirname, '../..')
const script = readFileSync(join(root, 'charts/weir/files/health.lua'), 'utf8')
const code = script.replaceAll(/--.*$/gm, '')
const all = (pattern: RegExp): string[] => [...code.matchAll(pattern)].map(match => match[1] ?? '')

test('the fields of a status that it reads are those of every kind', () => {
  const fields = new Set(all(/\bstatus\.(\w+)\b(?! = )/g))
  expect([...fields].toSorted()).toEqual(['conditions', 'observedGeneration', 'phase'])
  for (const crd of customResources.map(crdDocument)) {
    const known = Object.keys(partOf(crd, ['status']).properties ?? {})
    expect(known).toEqual(expect.arrayContaining(['conditions', 'observedGeneration']))
  }
})

test('the conditions and phases that it names are known', () => {
  const conditions = new Set(all(/found\.(\w+)/g))
  expect([...jobConditions]).toEqual(expect.arrayContaining([...conditions]))
  const job = customResources.map(crdDocument).find(one => one.metadata.name.startsWith('streamj'))
  const phases = all(/phase == "(\w+)"/g)
  expect(phases.length).toBeGreaterThan(2)
  expect(job && partOf(job, ['status', 'phase']).enum).toEqual(expect.arrayContaining(phases))
})

test('it says the words of Argo CD alone, and each block ends', () => {
  const words = new Set([...all(/say\("(\w+)"/g), ...all(/hs = \{ status = "(\w+)"/g)])
  expect([...words].toSorted()).toEqual(['Degraded', 'Healthy', 'Progressing', 'Suspended'])
  const opened = all(/\b(if|do|function)\b/g).length
  expect(all(/\b(end)\b/g)).toHaveLength(opened)
})
