/**
 * The reference pages that are made from the code: `docs/errors.md`, `docs/metrics.md`,
 * `docs/stream-job.md` and `docs/kubernetes-kinds.md`.
 *
 *   npm run docs     writes them; `reference-pages.test.ts` holds them against a fresh making
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { declaredErrors } from '../src/common/errors.ts'
import { controllerMetricDefinitions } from '../src/observability/controller-metric-definitions.ts'
import {
  type MetricDefinition,
  metricDefinitions,
} from '../src/observability/metric-definitions.ts'
import { savepointSpecSchema } from '../src/protocol/savepoint.ts'
import { streamJobSchema } from '../src/protocol/stream-job.ts'
import { streamJobStatusSchema } from '../src/protocol/stream-job-status.ts'
import { streamTenantSpecSchema } from '../src/protocol/stream-tenant.ts'

const home = resolve(import.meta.dirname, '..')

/** Page -> its text, freshly made. */
export async function referencePages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['docs/errors.md', await errorsPage()],
    ['docs/metrics.md', metricsPage()],
    ['docs/stream-job.md', streamJobPage()],
    ['docs/kubernetes-kinds.md', kindsPage()],
  ])
}

/** Every error that a person may meet, by the room that raises it. */
async function errorsPage(): Promise<string> {
  const sources = globSync('src/**/*.ts', { cwd: home })
    .filter(path => readFileSync(join(home, path), 'utf8').includes('defineErrors({'))
    .toSorted()
  const lines = [
    '# Errors',
    '',
    'Each error has a code, a message with the values, and a next step. *user* errors want something',
    'corrected and never retry; *external* ones come from the world outside; *internal* ones are',
    'defects. Made from the code: `npm run docs`.',
  ]
  let room = ''
  for (const path of sources) {
    await import(pathToFileURL(join(home, path)).href)
    const codes = codesOf(path).filter(code => declaredErrors().has(code))
    const next = path.split('/')[1] ?? ''
    if (next !== room) {
      room = next
      lines.push('', `## ${room}`, '', '| code | domain | retry | next step |', '|---|---|---|---|')
    }
    for (const code of codes.toSorted()) lines.push(errorRow(code))
  }
  return `${lines.join('\n')}\n`
}

function codesOf(path: string): string[] {
  const text = readFileSync(join(home, path), 'utf8')
  return [...text.matchAll(/^ {2}(WEIR_[A-Z0-9_]+): \{/gm)].map(match => match[1] ?? '')
}

function errorRow(code: string): string {
  const definition = declaredErrors().get(code)
  const { domain, retry, next } = definition ?? { domain: '', retry: '', next: '' }
  const step = typeof next === 'string' ? next : 'as the message says'
  return `| \`${code}\` | ${domain} | ${retry} | ${step.replaceAll('|', '\\|')} |`
}

/** Every metric with its labels. */
function metricsPage(): string {
  const lines = [
    '# Metrics',
    '',
    'What `GET /api/v1/metrics` of a running job and `weir metrics` show, for Prometheus. `job` is the',
    "job's id, `vertex` a vertex's. Made from the code: `npm run docs`.",
    '',
    ...metricsTable(metricDefinitions),
    '',
    '## The controller',
    '',
    'What `GET /metrics` at `WEIR_PROBES` of a controller shows.',
    '',
    ...metricsTable(controllerMetricDefinitions),
  ]
  return `${lines.join('\n')}\n`
}

interface ShownMetric extends Omit<MetricDefinition, 'type'> {
  readonly type: string
}

function metricsTable(definitions: Readonly<Record<string, ShownMetric>>): string[] {
  const rows = Object.entries(definitions).map(([name, metric]) => {
    const labels = metric.labels.map(label => `\`${label}\``).join(', ')
    return `| \`${name}\` | ${metric.type} | ${labels} | ${metric.help} |`
  })
  return ['| name | type | labels | meaning |', '|---|---|---|---|', ...rows]
}

/** What kubectl shows beside the manifest of a job. */
function kindsPage(): string {
  const part = (title: string, words: readonly string[], rows: readonly string[]): string[] => {
    return [
      '',
      `## ${title}`,
      '',
      ...words,
      '',
      '| field | takes | default |',
      '|---|---|---|',
      ...rows,
    ]
  }
  const lines = [
    '# The kinds on Kubernetes',
    '',
    'The manifest of a StreamJob is [a page of its own](stream-job.md). CRDs are in `crds/`. Made from',
    'the code: `npm run docs`.',
    ...part(
      'StreamJob: status',
      ['Written by the controller. The state pointer and the epoch only go forward.'],
      fieldRows(streamJobStatusSchema, 'status'),
    ),
    ...part(
      'Savepoint',
      ['What it asks for cannot be changed: a second savepoint is a second resource.'],
      fieldRows(savepointSpecSchema, 'spec'),
    ),
    ...part(
      'StreamTenant',
      ['What is acted on: [tenants.md](tenants.md).'],
      fieldRows(streamTenantSpecSchema, 'spec'),
    ),
  ]
  return `${lines.join('\n')}\n`
}

/** Every field of the manifest with what it takes and its default. */
function streamJobPage(): string {
  const lines = [
    '# StreamJob',
    '',
    'The manifest of a job, `weir.dev/v1alpha1`: one shape for `weir run` and for kubectl. What',
    'concerns pods only is checked, then ignored by a local run. Made from the code: `npm run docs`.',
    'Write `on` and `off` in quotes for kubectl, which takes them for true and false otherwise.',
    '',
    '| field | takes | default |',
    '|---|---|---|',
    ...fieldRows(streamJobSchema, ''),
  ]
  return `${lines.join('\n')}\n`
}

function fieldRows(schema: z.ZodType, path: string): string[] {
  const { inner, fallback } = unwrap(schema)
  if (inner instanceof z.ZodObject) {
    return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([name, field]) => {
      return fieldRows(field, path === '' ? name : `${path}.${name}`)
    })
  }
  if (
    inner instanceof z.ZodArray &&
    unwrap(inner.element as z.ZodType).inner instanceof z.ZodObject
  ) {
    return fieldRows(inner.element as z.ZodType, `${path}[]`)
  }
  const shown = fallback === undefined ? '' : `\`${JSON.stringify(fallback)}\``
  return [`| \`${path}\` | ${takes(inner)} | ${shown} |`]
}

interface Unwrapped {
  readonly inner: z.ZodType
  readonly fallback: unknown
}

function unwrap(schema: z.ZodType): Unwrapped {
  let inner = schema
  let fallback: unknown
  for (;;) {
    if (inner instanceof z.ZodDefault) {
      fallback = inner.def.defaultValue
      inner = inner.unwrap() as z.ZodType
    } else if (inner instanceof z.ZodOptional || inner instanceof z.ZodPrefault) {
      inner = inner.unwrap() as z.ZodType
    } else return { inner, fallback }
  }
}

function takes(schema: z.ZodType): string {
  const expected = schema.meta()?.expected
  if (typeof expected === 'string') return expected
  if (schema instanceof z.ZodEnum) return schema.options.map(option => `\`${option}\``).join(', ')
  if (schema instanceof z.ZodLiteral) return `\`${String(schema.value)}\``
  if (schema instanceof z.ZodBoolean) return 'true or false'
  if (schema instanceof z.ZodArray) return `a list: ${takes(schema.element as z.ZodType)}`
  if (schema instanceof z.ZodRecord) return 'names with values'
  if (schema instanceof z.ZodUnion) return 'a number or a text'
  return schema instanceof z.ZodString ? 'a text' : 'a value'
}

if (import.meta.main) {
  for (const [page, text] of await referencePages()) writeFileSync(join(home, page), text)
}
