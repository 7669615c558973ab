/**
 * Checks a manifest against its kind, and turns a refusal into words: what is wrong with which
 * value, and the line as it should be.
 */
import { z } from 'zod'
import { closestName } from '../common/closest-name.ts'
import type { ManifestRule } from './manifest-rule.ts'

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

export interface IssueText {
  readonly path: Path
  readonly problem: string
  readonly fix: string
}

/** `spec.autoscaler.windows.0.min` */
export function formatPath(path: Path): string {
  return path.map(String).join('.')
}

/** A kind of manifest: its fields, and what must hold between them. */
export interface ManifestKind<M extends { readonly spec: unknown }> {
  readonly schema: z.ZodType<M>
  readonly rules: readonly ManifestRule<M['spec']>[]
}

export type CheckedManifest<M> =
  | { readonly manifest: M }
  | { readonly problems: readonly IssueText[] }

/** The manifest with every default filled in, or all that is wrong with it. */
export function checkManifest<M extends { readonly spec: unknown }>(
  kind: ManifestKind<M>,
  value: unknown,
): CheckedManifest<M> {
  const result = kind.schema.safeParse(value)
  if (!result.success) {
    const root: Root = { value, schema: kind.schema }
    return { problems: result.error.issues.flatMap(issue => describeIssue(issue, root)) }
  }
  const broken = kind.rules.filter(rule => !rule.holds(result.data.spec))
  if (broken.length === 0) return { manifest: result.data }
  return {
    problems: broken.map(({ path, problem, fix }) => ({ path: path.split('.'), problem, fix })),
  }
}

interface Root {
  readonly value: unknown
  readonly schema: z.ZodType
}

/** One text a problem: an issue about unknown fields has one for each field. */
function describeIssue(issue: Issue, root: Root): readonly IssueText[] {
  const { path } = issue
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(key => unknownField([...path, key], fieldsAt(root.schema, path)))
  }
  const key = String(path.at(-1) ?? '')
  const value = valueAt(root.value, path)
  const { expected, example } = expectation(issue, root.schema)
  if (value === undefined) {
    const problem = `is missing; expected ${expected}`
    return [{ path, problem, fix: `add ${key}: ${example}` }]
  }
  const near = nearestChoice(issue, value)
  return [
    {
      path,
      problem: `is ${show(value)}; expected ${expected}`,
      fix: `${key}: ${near ?? quoted(issue, value) ?? example}`,
    },
  ]
}

function unknownField(path: Path, known: readonly string[]): IssueText {
  const name = String(path.at(-1))
  const near = closestName(name, known)
  const fix =
    near === undefined
      ? `remove it; the fields here are ${known.join(', ')}`
      : `did you mean ${near}?`
  return { path, problem: 'there is no such field', fix }
}

interface Expected {
  readonly expected: string
  readonly example: string
}

function expectation(issue: Issue, root: z.ZodType): Expected {
  if (issue.code === 'custom' && issue.params?.expected !== undefined) {
    return issue.params as Expected
  }
  if (issue.code === 'invalid_value') {
    const choices = issue.values.map(String)
    const [first = ''] = choices
    const expected = choices.length === 1 ? first : `one of ${choices.join(', ')}`
    return { expected, example: first }
  }
  const described = schemaAt(root, issue.path)?.meta() as Partial<Expected> | undefined
  if (described?.expected !== undefined) {
    return { expected: described.expected, example: described.example ?? 'a value' }
  }
  if (issue.code === 'invalid_type') return typeNames[issue.expected] ?? plain(issue.expected)
  if (issue.code === 'too_big') return plain(`at most ${issue.maximum}`)
  if (issue.code === 'too_small') return plain(`at least ${issue.minimum}`)
  return plain(issue.message)
}

const typeNames: Readonly<Record<string, Expected>> = {
  object: { expected: 'fields, indented below', example: '{ … }' },
  record: { expected: 'names with values, indented below', example: '{ name: value }' },
  array: { expected: 'a list', example: '[ … ]' },
  string: { expected: 'a text', example: 'text' },
  boolean: { expected: 'true or false', example: 'true' },
  number: { expected: 'a number', example: '1' },
}

function plain(expected: string): Expected {
  return { expected, example: 'a value as above' }
}

function nearestChoice(issue: Issue, value: unknown): string | undefined {
  if (issue.code !== 'invalid_value' || typeof value !== 'string') return undefined
  return closestName(value, issue.values.map(String))
}

/** A number or boolean where a text belongs only wants its quotes. */
function quoted(issue: Issue, value: unknown): string | undefined {
  const wantsText = issue.code === 'invalid_type' && issue.expected === 'string'
  const isPlain = typeof value === 'number' || typeof value === 'boolean'
  const isArgument = formatPath(issue.path).startsWith('spec.job.args.')
  return wantsText && isPlain && isArgument ? `"${value}"` : undefined
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<PropertyKey, unknown>)[key]
  }
  return value
}

function fieldsAt(root: z.ZodType, path: Path): readonly string[] {
  const schema = schemaAt(root, path)
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
}

/** The schema that the path leads to, its wrappers (optional, default) taken off at each step. */
function schemaAt(root: z.ZodType, path: Path): z.ZodType | undefined {
  let schema: z.ZodType | undefined = root
  for (const key of path) {
    const inner: z.ZodType | undefined = schema === undefined ? undefined : unwrap(schema)
    if (inner instanceof z.ZodObject) schema = inner.shape[String(key)] as z.ZodType | undefined
    else if (inner instanceof z.ZodArray) schema = inner.element as z.ZodType
    else if (inner instanceof z.ZodRecord) schema = inner.valueType as z.ZodType
    else return undefined
  }
  return schema === undefined ? undefined : unwrap(schema)
}

function unwrap(schema: z.ZodType): z.ZodType {
  let inner = schema
  while (
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodPrefault
  ) {
    inner = inner.unwrap() as z.ZodType
  }
  return inner
}
