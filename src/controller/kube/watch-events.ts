/** Reads the events of a watch from its bytes: one JSON text a line. */
import { StringDecoder } from 'node:string_decoder'
import { kubeErrors, refusal } from './kube-errors.ts'
import type { KubeObject } from './kube-object.ts'

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly version: string; readonly endsInitialEvents: boolean }

/** An object is at most this long, as etcd and the API server have it. */
const LINE_CHARS_MAX = 8_000_000
const asked = { method: 'GET', path: 'a watch' }

/** Throws on an event that says that the watch failed, and on a line that cannot be read. */
export async function* watchEvents<T extends KubeObject>(
  bytes: AsyncIterable<Buffer>,
): AsyncGenerator<WatchEvent<T>> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const piece of bytes) {
    rest += decoder.write(piece)
    let begin = 0
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', begin)) {
      const line = rest.slice(begin, end)
      begin = end + 1
      if (line !== '') yield eventOf<T>(line)
    }
    rest = rest.slice(begin)
    if (rest.length > LINE_CHARS_MAX) throw malformed(`a line of ${rest.length} characters`)
  }
  // Half a line at the end is a stream that was cut off.
  if (rest !== '') throw malformed('it ends in the middle of a line')
}

function malformed(reason: string): Error {
  return kubeErrors.WEIR_KUBE_MALFORMED({ ...asked, reason })
}

interface RawEvent {
  readonly type?: unknown
  readonly object?: Partial<KubeObject> & { readonly code?: unknown; readonly message?: unknown }
}

function eventOf<T extends KubeObject>(line: string): WatchEvent<T> {
  const { type, object } = parse(line)
  if (type === 'ERROR') {
    const status = typeof object?.code === 'number' ? object.code : 500
    const said = typeof object?.message === 'string' ? object.message : ''
    throw refusal({ ...asked, status, said })
  }
  const version = object?.metadata?.resourceVersion
  if (version === undefined || !/^\d+$/.test(version)) throw malformed('an event without a version')
  if (type === 'BOOKMARK') {
    const ends = object?.metadata?.annotations?.['k8s.io/initial-events-end'] === 'true'
    return { type, version, endsInitialEvents: ends }
  }
  if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') {
    return { type, object: object as T }
  }
  throw malformed(`an event of type ${JSON.stringify(type)}`)
}

function parse(line: string): RawEvent {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // Said below, without the line: it may hold a secret.
  }
  throw malformed('a line that is no JSON object')
}
