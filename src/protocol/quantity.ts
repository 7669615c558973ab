/**
 * Kubernetes quantities (`500m`, `2`, `512Mi`, `1.5Gi`): amounts of CPU and memory.
 */
const suffixes: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
}

const form = /^(\d+(?:\.\d+)?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi|)$/

/** An amount as it is written in a manifest. */
export type Quantity = string | number

/** The amount in units (cores, bytes), or `undefined` when it is no quantity. */
export function parseQuantity(value: Quantity): number | undefined {
  const match = form.exec(String(value))
  if (match === null) return undefined
  const amount = Number(match[1]) * (suffixes[match[2] ?? ''] ?? Number.NaN)
  return Number.isFinite(amount) ? amount : undefined
}

const binary = ['Ti', 'Gi', 'Mi', 'Ki'] as const

/** Bytes as a quantity, in the largest unit that leaves no fraction. */
export function formatBytes(bytes: number): string {
  const unit = binary.find(suffix => bytes !== 0 && bytes % (suffixes[suffix] ?? 1) === 0)
  return unit === undefined ? String(bytes) : `${bytes / (suffixes[unit] ?? 1)}${unit}`
}

/** Thousandths of a core as a quantity. */
export function formatCores(thousandths: number): string {
  return thousandths % 1_000 === 0 ? String(thousandths / 1_000) : `${thousandths}m`
}
