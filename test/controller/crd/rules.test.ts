/** Every rule of the CRDs, held by a local run: one object that passes, one that does not. */
import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { checkManifest, type ManifestKind } from '../../../src/protocol/manifest-issues.ts'
import { celOf } from '../../../src/protocol/manifest-rule.ts'
import { savepointRules, savepointSchema } from '../../../src/protocol/savepoint.ts'
import { streamJobSchema } from '../../../src/protocol/stream-job.ts'
import { streamJobRules } from '../../../src/protocol/stream-job-rules.ts'
import { streamTenantSchema } from '../../../src/protocol/stream-tenant.ts'
import { streamTenantRules } from '../../../src/protocol/stream-tenant-rules.ts'
import { crdFiles } from '../../crd-files.ts'
import { fieldSamples, rulesIn, schemaOf } from './field-samples.ts'
import type { Json, KindSamples } from './rule-samples.ts'
import { savepointSamples } from './savepoint-samples.ts'
import { streamJobSamples } from './stream-job-samples.ts'
import { streamTenantSamples } from './stream-tenant-samples.ts'

const home = resolve(import.meta.dirname, '../../..')

interface Kind {
  readonly samples: KindSamples
  readonly check: (spec: Json) => readonly string[]
  readonly messages: readonly string[]
}

function kindOf<M extends { readonly spec: unknown }>(
  samples: KindSamples,
  kind: ManifestKind<M>,
): Kind {
  return {
    samples,
    messages: kind.rules.map(rule => celOf(rule).message),
    check: spec => {
      const head = { apiVersion: 'weir.dev/v1alpha1', kind: samples.kind }
      const checked = checkManifest(kind, { ...head, metadata: { name: 'a' }, spec })
      if ('manifest' in checked) return []
      return checked.problems.map(
        ({ path, problem, fix }) => `${path.join('.')}: ${problem}: ${fix}`,
      )
    },
  }
}

const kinds: readonly Kind[] = [
  kindOf(streamJobSamples, { schema: streamJobSchema, rules: streamJobRules }),
  kindOf(savepointSamples, { schema: savepointSchema, rules: savepointRules }),
  kindOf(streamTenantSamples, { schema: streamTenantSchema, rules: streamTenantRules }),
]

describe.each(kinds.map(kind => [kind.samples.kind, kind] as const))('%s', (_name, kind) => {
  const { samples, check, messages } = kind

  test.each(samples.right.map(spec => [JSON.stringify(spec).slice(0, 80), spec]))(
    'takes %s',
    (_text, spec) => expect(check(spec as Json)).toEqual([]),
  )

  test.each(samples.broken)('$path $says', ({ path, says, spec }) => {
    const problems = check(spec)
    expect(problems).toEqual([expect.stringContaining(says)])
    expect(problems[0]?.startsWith(`${path}: `)).toBe(true)
    expect(messages.some(message => problems[0]?.endsWith(message))).toBe(true)
  })

  test.each(fieldSamples(samples))('$path $says', ({ says, passes, fails }) => {
    expect(check(passes)).toEqual([])
    for (const spec of fails) expect(check(spec)).toEqual([expect.stringContaining(says)])
  })

  test('every rule of the CRD has its samples', () => {
    const said = [
      ...samples.broken.map(one => one.says),
      ...samples.transitions.map(one => one.says),
      ...fieldSamples(samples).map(one => one.says),
      'metadata.name: expected a name',
    ]
    const rules = rulesIn(schemaOf(samples.kind))
    expect(rules.filter(({ message }) => !said.some(words => message.includes(words)))).toEqual([])
  })
})

test('the CRDs hold sixty rules and more, each CRD in 64 kB', () => {
  const rules = kinds.flatMap(({ samples }) => rulesIn(schemaOf(samples.kind)))
  expect(rules.length).toBeGreaterThanOrEqual(60)
  for (const text of crdFiles().values()) expect(text.length).toBeLessThanOrEqual(64_000)
})

test('crds/ is what the code makes: else run `npm run crds`', () => {
  const files = globSync('crds/*.yaml', { cwd: home }).toSorted()
  expect(files).toEqual([...crdFiles().keys()].toSorted())
  for (const [path, text] of crdFiles()) {
    expect(readFileSync(join(home, path), 'utf8')).toBe(text)
    expect(parse(text)).toHaveProperty('kind', 'CustomResourceDefinition')
  }
})
