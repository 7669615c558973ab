/**
 * Lays a pod template over a pod, as `kubectl patch` would: objects field by field, lists of named
 * things by their names, other lists whole. What the pod is to Weir stays as it is. A template may
 * hold anything: what is no pod any more the API server refuses, and names.
 */
type Json = Readonly<Record<string, unknown>>

export function mergePod(pod: object, template: Json): Json {
  const merged = merge(pod, template) as Record<string, unknown>
  const metadata = pod as { readonly apiVersion?: unknown; readonly metadata?: Json }
  const given: Json = isObject(merged.metadata) ? merged.metadata : {}
  const labels = isObject(given.labels) ? given.labels : {}
  const own = metadata.metadata ?? {}
  return {
    ...merged,
    apiVersion: metadata.apiVersion,
    kind: 'Pod',
    // Names and labels are how the controller finds the pod again.
    metadata: { ...given, ...own, labels: { ...labels, ...(own.labels as Json) } },
  }
}

/** Of a pod's spec, or of what stands in its place. */
export function namedContainer(spec: unknown, name: string): Json | undefined {
  const containers = isObject(spec) ? spec.containers : undefined
  if (!Array.isArray(containers)) return undefined
  return containers.filter(isObject).find(one => one.name === name)
}

function merge(base: unknown, over: unknown): unknown {
  if (Array.isArray(base) && Array.isArray(over)) return mergeLists(base, over)
  if (!isObject(base) || !isObject(over)) return over
  const merged: Record<string, unknown> = { ...base }
  for (const [name, value] of Object.entries(over)) {
    merged[name] = name in base ? merge(base[name], value) : value
  }
  return merged
}

function mergeLists(base: readonly unknown[], over: readonly unknown[]): unknown {
  if (![...base, ...over].every(isNamed)) return over
  const named = new Map(base.filter(isNamed).map(item => [item.name, item as unknown]))
  for (const item of over.filter(isNamed)) {
    named.set(item.name, named.has(item.name) ? merge(named.get(item.name), item) : item)
  }
  return [...named.values()]
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isNamed(value: unknown): value is { readonly name: unknown } {
  return isObject(value) && value.name !== undefined
}
