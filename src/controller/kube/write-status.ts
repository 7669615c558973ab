/**
 * Writes a status whole. Server-side apply takes away only what nobody else has written: where
 * somebody has put fields into a status by hand, what is dropped would stay in part, and may not
 * even be valid then. That is noticed: the status is replaced as it is to be, and the others lose
 * what they own of it. What they own of the rest of the object stays theirs.
 */
import type { KubeClient } from './kube-client.ts'
import { isKubeError } from './kube-errors.ts'
import type { KubeObject } from './kube-object.ts'
import { statusPatch } from './status-patch.ts'

interface WithStatus extends KubeObject {
  readonly status?: unknown
}

export interface StatusWrite {
  readonly status: object
  /** Owns the fields. */
  readonly manager: string
  readonly signal?: AbortSignal | undefined
}

type Writer<T extends KubeObject> = Pick<KubeClient<T>, 'applyStatus' | 'patch' | 'patchStatus'>

/** On the condition that the object is as it was seen; the object as it is then. */
export async function writeStatus<T extends WithStatus>(
  client: Writer<T>,
  object: T,
  write: StatusWrite,
): Promise<T> {
  const { status, manager, signal } = write
  try {
    const patch = statusPatch(object, status) as unknown as T
    const written = await client.applyStatus(patch, { manager, signal })
    return isLeft(written.status, status) ? await replaced(client, written, write) : written
  } catch (error) {
    if (!isKubeError(error, 'WEIR_KUBE_INVALID')) throw error
    return replaced(client, object, write)
  }
}

/** Something that was dropped is there all the same: a field, a condition. */
function isLeft(found: unknown, wanted: unknown): boolean {
  if (wanted === undefined) return found !== undefined
  if (Array.isArray(found) && Array.isArray(wanted)) return found.length > wanted.length
  if (!(isRecord(found) && isRecord(wanted))) return false
  return Object.keys(found).some(name => isLeft(found[name], wanted[name]))
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

async function replaced<T extends WithStatus>(
  client: Writer<T>,
  { metadata }: T,
  { status, signal }: StatusWrite,
): Promise<T> {
  const isAsSeen = ({ resourceVersion: value }: KubeObject['metadata']) =>
    ({ op: 'test', path: '/metadata/resourceVersion', value }) as const
  const whole = { op: 'add', path: '/status', value: status } as const
  const written = await client.patchStatus(metadata, [isAsSeen(metadata), whole], signal)
  const owners = (written.metadata as Owned).managedFields ?? []
  const value = owners.filter(one => one.subresource !== 'status' || isOurs(one))
  if (value.length === owners.length) return written
  const disowned = { op: 'replace', path: '/metadata/managedFields', value } as const
  return client.patch(metadata, [isAsSeen(written.metadata), disowned], signal)
}

interface Owner {
  readonly manager?: string
  readonly operation?: string
  readonly subresource?: string
}

interface Owned {
  readonly managedFields?: readonly Owner[]
}

/** Controllers of Weir apply, whichever part of a status is theirs. */
function isOurs({ manager = '', operation }: Owner): boolean {
  return operation === 'Apply' && manager.startsWith('weir-')
}
