/**
 * `kubectl weir plan`: what `kubectl apply` of a manifest would do to the job that runs. The job is
 * checked and its graph drawn here, the manifest is tried on the API server; nothing is changed.
 */
import { isDeepStrictEqual } from 'node:util'
import { assert } from '../../common/assert.ts'
import { isWeirError } from '../../common/errors.ts'
import { planText } from '../../graph/plan-text.ts'
import { type CliIo, exitCodes } from '../cli-io.ts'
import { describeError } from '../describe-error.ts'
import { prepareJob } from '../prepare-job.ts'
import type { ClusterJob } from './cluster-job.ts'
import { Kubectl, type KubectlTarget } from './kubectl.ts'

export interface PlanOnClusterOptions extends KubectlTarget {
  readonly file: string
  readonly output?: string | undefined
}

/** The plan found what is in the way of the change. */
export const BLOCKED = 3

interface FieldChange {
  readonly path: string
  readonly from: unknown
  readonly to: unknown
}

export async function planOnCluster(options: PlanOnClusterOptions, io: CliIo): Promise<number> {
  const { file, output } = options
  const kubectl = new Kubectl(options, io)
  const graph = await graphOf(file, io)
  if (graph === undefined) return BLOCKED
  const tried = await kubectl.ask(['apply', '--dry-run=server', '-f', file, '-o', 'json'])
  if (tried.code !== 0) {
    io.err.write(tried.err)
    return refusals.test(tried.err) ? BLOCKED : exitCodes.failed
  }
  const wanted = jobIn(JSON.parse(tried.out) as Applied)
  const { name, namespace } = wanted.metadata
  const where = namespace === undefined ? [] : ['--namespace', namespace]
  const found = await kubectl.output([
    'get',
    'streamjob',
    name,
    ...where,
    '--ignore-not-found',
    '-o',
    'json',
  ])
  const live = found === '' ? undefined : (JSON.parse(found) as ClusterJob)
  const changes = live === undefined ? [] : changesOf(live.spec, wanted.spec)
  if (output === 'json') {
    const plan = { namespace, name, isNew: live === undefined, changes }
    io.out.write(`${JSON.stringify(plan, undefined, 2)}\n`)
  } else {
    io.out.write(`${graph}\n${changesText(live, { name, changes })}`)
  }
  return exitCodes.ok
}

/** A manifest with several documents gives a list. */
type Applied = KindOf<ClusterJob> | { readonly kind: 'List'; readonly items: KindOf<ClusterJob>[] }
type KindOf<T> = T & { readonly kind: 'StreamJob' }

function jobIn(applied: Applied): ClusterJob {
  if (applied.kind !== 'List') return applied
  const job = applied.items.find(one => one.kind === 'StreamJob')
  assert(job !== undefined, 'a file that was read as a StreamJob holds one')
  return job
}

/** Words of kubectl about a manifest that is wrong; others are about cluster and rights. */
const refusals =
  /\bis invalid\b|error validating|strict decoding error|denied the request|denied request/

/** `undefined`: the job is not right, and that was said. Throws where no job was found. */
async function graphOf(file: string, io: CliIo): Promise<string | undefined> {
  try {
    const { graph, manifest } = await prepareJob({ file, set: [] }, io)
    const overtaking = manifest.spec.checkpoint.alignment !== 'aligned'
    return planText(graph, { overtaking })
  } catch (error) {
    if (!isWeirError(error) || error.code.startsWith('WEIR_COMMAND_FILE_')) throw error
    io.err.write(describeError(error))
    return undefined
  }
}

/** Leaf by leaf; a list is one value. */
function changesOf(from: object, to: object, path = 'spec'): FieldChange[] {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].toSorted()
  return names.flatMap(name => {
    const before = (from as Record<string, unknown>)[name]
    const after = (to as Record<string, unknown>)[name]
    const at = `${path}.${name}`
    if (isDeepStrictEqual(before, after)) return []
    if (isObject(before) && isObject(after)) return changesOf(before, after, at)
    return [{ path: at, from: before, to: after }]
  })
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

interface Planned {
  readonly name: string
  readonly changes: readonly FieldChange[]
}

function changesText(live: ClusterJob | undefined, { name, changes }: Planned): string {
  if (live === undefined) return `job ${name} is new: it would be deployed\n`
  if (changes.length === 0) return `job ${name} is as the manifest says: nothing would change\n`
  const shown = (value: unknown): string => (value === undefined ? 'unset' : JSON.stringify(value))
  const lines = changes.map(({ path, from, to }) => `  ${path}: ${shown(from)} -> ${shown(to)}\n`)
  return `job ${name} would be changed:\n${lines.join('')}`
}
