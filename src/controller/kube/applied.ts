/**
 * Whether an object is already as it is to be. Server-side apply of what is there changes nothing,
 * but it costs the API server a write: a settled job makes none.
 */
import { createHash } from 'node:crypto'
import { API_GROUP } from '../../protocol/manifest-shape.ts'
import { parseQuantity } from '../../protocol/quantity.ts'
import type { KubeObject } from './kube-object.ts'

/** Of what was applied last: tells that a field is no longer wanted, which the object cannot. */
const DIGEST = `${API_GROUP}/applied`

/** The object as it is sent, with the digest of all that is wanted. */
export function withDigest<T extends KubeObject>(wanted: T): T {
  const digest = createHash('sha256').update(JSON.stringify(wanted)).digest('hex').slice(0, 32)
  const annotations = { ...wanted.metadata.annotations, [DIGEST]: digest }
  return { ...wanted, metadata: { ...wanted.metadata, annotations } }
}

/** `wanted` has its digest. */
export function isApplied(live: KubeObject | undefined, wanted: KubeObject): boolean {
  return live !== undefined && holds(live, wanted, '')
}

/** Maps of these fields are amounts: `1` and `1000m` are one. */
const quantityFields = new Set([
  'requests',
  'limits',
  'hard',
  'sizeLimit',
  'storage',
  'cpu',
  'memory',
])

/** Nobody may add to these: who stands in them has rights. */
const wholeLists = new Set(['subjects'])

/** Everything that is wanted is there; what the API server added does not matter. */
function holds(live: unknown, wanted: unknown, field: string): boolean {
  if (Array.isArray(wanted)) return Array.isArray(live) && holdsList(live, wanted, field)
  if (typeof wanted === 'object' && wanted !== null) {
    if (typeof live !== 'object' || live === null) return isEmpty(wanted) && live === undefined
    return Object.entries(wanted).every(([name, value]) => {
      const inner = (live as Record<string, unknown>)[name]
      if (wholeLists.has(name)) return holdsWhole(inner, value)
      return value === undefined || holds(inner, value, quantityFields.has(name) ? name : field)
    })
  }
  if (live === wanted) return true
  return field !== '' && isSameQuantity(live, wanted)
}

function holdsList(live: readonly unknown[], wanted: readonly unknown[], field: string): boolean {
  if (live.length < wanted.length) return false
  const byName = new Map(live.map(item => [nameOf(item), item]))
  const isKeyed = wanted.every(item => nameOf(item) !== undefined)
  if (isKeyed) return wanted.every(item => holds(byName.get(nameOf(item)), item, field))
  return live.length === wanted.length && wanted.every((item, i) => holds(live[i], item, field))
}

function holdsWhole(live: unknown, wanted: unknown): boolean {
  if (!Array.isArray(live) || !Array.isArray(wanted)) return false
  return live.length === wanted.length && wanted.every((item, i) => holds(live[i], item, ''))
}

function nameOf(item: unknown): unknown {
  return typeof item === 'object' && item !== null && 'name' in item ? item.name : undefined
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0
}

function isSameQuantity(live: unknown, wanted: unknown): boolean {
  const isAmount = (value: unknown): value is string | number =>
    typeof value === 'string' || typeof value === 'number'
  if (!isAmount(live) || !isAmount(wanted)) return false
  const amount = parseQuantity(live)
  return amount !== undefined && amount === parseQuantity(wanted)
}
