/**
 * Reads a StreamJob from YAML: text in, manifest or WEIR_MANIFEST_INVALID out. Every problem names
 * the path, the line, the value, what was expected and the fix; all of them are reported at once.
 */
import {
  type Alias,
  type Document,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  parseAllDocuments,
  parseDocument,
  visit,
} from 'yaml'
import { checkManifest, formatPath, type ManifestKind } from './manifest-issues.ts'
import { type ManifestProblem, protocolErrors } from './protocol-errors.ts'
import { type StreamJob, streamJobSchema } from './stream-job.ts'
import { streamJobRules } from './stream-job-rules.ts'

/** A manifest is an object of the API server: etcd takes no more. */
const MANIFEST_CHARS_MAX = 1_500_000

export interface ManifestText {
  readonly text: string
  /** The name shown in errors. */
  readonly file: string
  /** Overrides, each `path=value` as given to `--set`; applied in order. */
  readonly set?: readonly string[]
}

export interface ParsedStreamJob {
  readonly manifest: StreamJob
  /** The line (from 1) of the first line of `spec.job.inline`, when the job is inline. */
  readonly inlineLine: number | undefined
}

const streamJobKind: ManifestKind<StreamJob> = { schema: streamJobSchema, rules: streamJobRules }

type Path = readonly PropertyKey[]

/** A document with what is needed to point into it. */
interface Source {
  readonly document: Document.Parsed
  readonly lines: LineCounter
  /** Paths given by `--set`: their values have no line. */
  readonly overridden: Set<string>
}

/** Reads the one StreamJob of a YAML text. Throws WEIR_MANIFEST_INVALID. */
export function parseStreamJob(input: ManifestText): ParsedStreamJob {
  const refuse = (problems: readonly ManifestProblem[]): never => {
    throw protocolErrors.WEIR_MANIFEST_INVALID({ file: input.file, problems })
  }
  if (input.text.length > MANIFEST_CHARS_MAX) {
    return refuse([
      problemAt(1, 'the file is too long', `keep it below ${MANIFEST_CHARS_MAX} chars`),
    ])
  }
  const lines = new LineCounter()
  const documents = parseAllDocuments(input.text, { lineCounter: lines, logLevel: 'error' })
  const parsed = Array.isArray(documents) ? documents : []
  const broken = parsed.flatMap(one => one.errors)
  if (broken.length > 0) {
    return refuse(
      broken.map(error =>
        problemAt(
          lines.linePos(error.pos[0]).line,
          `is not YAML: ${firstLine(error.message)}`,
          'correct the syntax (indentation is by spaces; a colon wants a space after it)',
        ),
      ),
    )
  }
  const chosen = chooseStreamJob(parsed, lines)
  if ('problem' in chosen) return refuse([chosen])
  const source: Source = { document: chosen.document, lines, overridden: new Set() }
  const unset = (input.set ?? []).flatMap(assignment => applySet(source, assignment))
  if (unset.length > 0) return refuse(unset)
  return validate(source, refuse)
}

function validate(
  source: Source,
  refuse: (problems: readonly ManifestProblem[]) => never,
): ParsedStreamJob {
  const value = jsonOf(source)
  if (value === UNRESOLVED) return refuse([aliasProblem(source)])
  const checked = checkManifest(streamJobKind, value)
  if ('problems' in checked) return refuse(checked.problems.map(one => place(source, one)))
  const { manifest } = checked
  return { manifest, inlineLine: inlineLineOf(source) }
}

const UNRESOLVED = Symbol('unresolved')

/** `UNRESOLVED`: an alias leads nowhere, to itself, or to more than any manifest holds. */
function jsonOf({ document }: Source): unknown {
  try {
    const value: unknown = document.toJS()
    // A manifest is JSON: something that holds itself is none.
    JSON.stringify(value)
    return value
  } catch {
    return UNRESOLVED
  }
}

/** At the alias without an anchor; else at the first one: all of them together are too much. */
function aliasProblem({ document, lines }: Source): ManifestProblem {
  const aliases: Alias[] = []
  visit(document, { Alias: (_key, alias) => void aliases.push(alias) })
  const lost = aliases.find(alias => alias.resolve(document) === undefined)
  const alias = lost ?? aliases[0]
  const line = lineAt(lines, alias?.range?.[0] ?? 0)
  const name = alias?.source ?? ''
  return lost === undefined
    ? problemAt(line, `the alias *${name} holds itself, or too much`, 'write the value out')
    : problemAt(line, `there is no anchor &${name} before *${name}`, 'put the text into quotes')
}

function chooseStreamJob(
  documents: readonly Document.Parsed[],
  lines: LineCounter,
): { document: Document.Parsed } | ManifestProblem {
  const filled = documents.filter(document => document.contents !== null)
  const [only] = filled
  // A single document is validated whole, so that a misspelt kind is reported with the rest.
  if (only !== undefined && filled.length === 1) return { document: only }
  const jobs = filled.filter(document => document.get('kind') === 'StreamJob')
  const [job, second] = jobs
  if (second !== undefined) {
    return problemAt(
      lineAt(lines, second.range[0]),
      `is StreamJob number 2 of ${jobs.length} in this file`,
      'keep one StreamJob a file',
    )
  }
  if (job !== undefined) return { document: job }
  const kinds = filled.map(document => JSON.stringify(document.get('kind') ?? 'no kind'))
  const held = kinds.length === 0 ? 'the file is empty' : `the file holds ${kinds.join(', ')}`
  return problemAt(1, `expected a StreamJob, but ${held}`, 'add kind: StreamJob')
}

/** `spec.job.args.output=DIR`. Arguments of the job are texts; other values are read as YAML. */
function applySet(source: Source, assignment: string): ManifestProblem[] {
  const at = assignment.indexOf('=')
  const path = assignment.slice(0, Math.max(0, at)).split('.')
  if (at < 1 || path.includes('')) {
    return [
      {
        path: '',
        line: undefined,
        problem: `${JSON.stringify(assignment)} is no assignment`,
        fix: 'write a path, = and a value, such as spec.job.args.output=out',
      },
    ]
  }
  const keys = path.map(key => (/^\d+$/.test(key) ? Number(key) : key))
  const text = assignment.slice(at + 1)
  const isArgument = path.length === 4 && path.slice(0, 3).join('.') === 'spec.job.args'
  const value = isArgument ? text : yamlValue(text)
  const refuse = (problem: string, fix: string): ManifestProblem[] => {
    return [{ path: path.join('.'), line: undefined, problem, fix }]
  }
  if (value === UNRESOLVED) {
    return refuse(`is set to ${JSON.stringify(text)}, which is not YAML`, 'put a text into quotes')
  }
  try {
    source.document.setIn(keys, value)
  } catch {
    const problem = 'cannot be set: something above it in the manifest is no map'
    return refuse(problem, 'correct the path after --set')
  }
  source.overridden.add(path.join('.'))
  return []
}

function yamlValue(text: string): unknown {
  const document = parseDocument(text, { logLevel: 'error' })
  if (document.errors.length > 0) return UNRESOLVED
  try {
    return document.toJS() as unknown
  } catch {
    return UNRESOLVED
  }
}

interface Unplaced {
  readonly path: Path
  readonly problem: string
  readonly fix: string
}

function place(source: Source, { path, problem, fix }: Unplaced): ManifestProblem {
  const name = formatPath(path)
  const bySet = [...source.overridden].some(set => name === set || name.startsWith(`${set}.`))
  return { path: name, line: bySet ? undefined : lineOf(source, path), problem, fix }
}

/** The line of the key at the path, or of the nearest parent that is written. */
function lineOf({ document, lines }: Source, path: Path): number {
  let node: unknown = document.contents
  let offset = document.range[0]
  if (isNode(node) && node.range) offset = node.range[0]
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find(item => isScalar(item.key) && item.key.value === key)
      if (!isPair(pair) || !isScalar(pair.key)) break
      offset = pair.key.range?.[0] ?? offset
      node = pair.value
    } else if (isCollection(node)) {
      node = node.get(key, true)
      if (isNode(node) && node.range) offset = node.range[0]
    } else break
  }
  return lineAt(lines, offset)
}

function inlineLineOf({ document, lines, overridden }: Source): number | undefined {
  if (overridden.has('spec.job.inline')) return undefined
  const node = document.getIn(['spec', 'job', 'inline'], true)
  if (!isScalar(node) || !node.range) return undefined
  const isBlock = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED'
  return lineAt(lines, node.range[0]) + (isBlock ? 1 : 0)
}

function lineAt(lines: LineCounter, offset: number): number {
  return Math.max(1, lines.linePos(offset).line)
}

function problemAt(line: number, problem: string, fix: string): ManifestProblem {
  return { path: '', line, problem, fix }
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? message
}
