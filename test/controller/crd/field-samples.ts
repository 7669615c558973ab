/** For each rule of a single field: a spec with a right value in it, and one with a wrong value. */
import { crdDocument } from '../../../src/controller/crd/custom-resource.ts'
import { customResources } from '../../../src/controller/crd/custom-resources.ts'
import type { StructuralSchema } from '../../../src/controller/crd/structural-schema.ts'
import type { Json, KindSamples } from './rule-samples.ts'

export interface FieldSample {
  /** With `[]` for the entries of a list. */
  readonly path: string
  readonly says: string
  readonly passes: Json
  readonly fails: readonly Json[]
}

export function schemaOf(kind: string): StructuralSchema {
  const resource = customResources.find(one => one.kind === kind)
  if (resource === undefined) throw new Error(`no kind ${kind}`)
  const [version] = crdDocument(resource).spec.versions
  if (version === undefined) throw new Error('no version')
  return version.schema.openAPIV3Schema
}

/** Every rule of the schema, by the path it stands at. */
export function rulesIn(schema: StructuralSchema, path = ''): { path: string; message: string }[] {
  const own = (schema['x-kubernetes-validations'] ?? []).map(({ message }) => ({ path, message }))
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, part]) =>
    rulesIn(part, path === '' ? name : `${path}.${name}`),
  )
  const items = schema.items === undefined ? [] : rulesIn(schema.items, `${path}[]`)
  const values =
    schema.additionalProperties === undefined
      ? []
      : rulesIn(schema.additionalProperties, `${path}{}`)
  return [...own, ...below, ...items, ...values]
}

export function fieldSamples(samples: KindSamples): FieldSample[] {
  return rulesIn(schemaOf(samples.kind))
    .filter(({ path, message }) => path.startsWith('spec.') && message.startsWith('expected '))
    .filter(({ path, message }) => !samples.broken.some(isOf(path, message)))
    .map(({ path, message }) => ({
      path,
      says: message,
      passes: withValue(samples, path, rightValue(message, path)),
      fails: wrongValues(message).map(value => withValue(samples, path, value)),
    }))
}

const isOf = (path: string, message: string) => (one: { path: string; says: string }) =>
  message.includes(one.says) && path.replaceAll('[]', '').startsWith(one.path)

function rightValue(message: string, path: string): unknown {
  const duration = /a duration from (\S+) to (\S+)/.exec(message)
  // The upper bound of one, where no other field is to be above it.
  if (duration !== null) return path.endsWith('alignmentTimeout') ? '10s' : rightDuration(duration)
  const quantity = /a quantity of at least (\S+)/.exec(message)
  if (quantity !== null) return path.endsWith('default.cpu') ? '10m' : quantity[1]
  const found = [...rightTexts].find(([words]) => message.includes(words))
  if (found === undefined) throw new Error(`no right value for ${path}: ${message}`)
  return found[1]
}

const rightDuration = ([, min, max]: RegExpExecArray): string | undefined =>
  max === '1d' ? '1h' : (max ?? min)

const rightTexts: ReadonlyMap<string, string> = new Map([
  ['a name of', 'a-name'],
  ['a URL', 's3://payments/prefix'],
  ['sha256: and', `sha256:${'0'.repeat(64)}`],
  ['a relative path', 'jobs/..a/b.ts'],
  ['a cron schedule', '*/5 0 * * 1-5'],
  ['an image with', 'registry.example:5000/a/b@sha256:00'],
  ['an address range', '10.0.0.0/8'],
  ['a namespace', 'payments'],
  ['an image prefix', 'registry.example/team/'],
])

function wrongValues(message: string): readonly unknown[] {
  if (message.includes('a duration from')) return ['soon', '1h30', '99999d', '-1s', '', '9999d']
  if (message.includes('a quantity')) return ['much', '1m', '-1Gi', '1e3', 1, ''].slice(0, 4)
  if (message.includes('a relative path')) return ['/etc/a.ts', 'a/../b.ts', '..']
  if (message.includes('an image with')) return ['a/b:latest', 'a b']
  if (message.includes('an address range')) return ['10.0.0.0', 'all']
  return ['/ no /']
}

/** The spec around the field, with the value in its place. */
function withValue(samples: KindSamples, path: string, value: unknown): Json {
  const around = Object.entries(samples.around)
    .filter(([start]) => path.startsWith(start))
    .toSorted(([a], [b]) => b.length - a.length)[0]?.[1]
  const root = { spec: structuredClone(around ?? samples.minimal) }
  let parent: Record<string, unknown> = root
  const steps = path.split('.')
  for (const [index, step] of steps.entries()) {
    const name = step.replace(/\[\]$/, '')
    const isLast = index === steps.length - 1
    if (step.endsWith('[]')) {
      const list = (parent[name] ?? [{}]) as unknown[]
      parent[name] = list
      if (isLast) list[0] = value
      else parent = list[0] as Record<string, unknown>
    } else if (isLast) parent[name] = value
    else {
      const inner = (parent[name] ?? {}) as Record<string, unknown>
      parent[name] = inner
      parent = inner
    }
  }
  return root.spec
}
