/** Amounts of a quota; pure. Memory in bytes, CPU in thousandths of a core: whole numbers. */
import { formatBytes, formatCores, parseQuantity, type Quantity } from '../../protocol/quantity.ts'

export const quotaResources = ['jobs', 'slots', 'cpu', 'memory'] as const
export type QuotaResource = (typeof quotaResources)[number]

export type Demand = Readonly<Record<QuotaResource, number>>

export const nothing: Demand = { jobs: 0, slots: 0, cpu: 0, memory: 0 }

export function thousandths(cpu: Quantity): number {
  // Decimal fractions are not whole in binary: 1.1 cores are 1100 thousandths, not 1100.0000001.
  return Math.ceil(Math.round((parseQuantity(cpu) ?? 0) * 1e6) / 1e3)
}

export function bytes(memory: Quantity): number {
  return Math.ceil(parseQuantity(memory) ?? 0)
}

export function plus(one: Demand, other: Demand): Demand {
  return combine(one, other, (a, b) => a + b)
}

export function minus(one: Demand, other: Demand): Demand {
  return combine(one, other, (a, b) => a - b)
}

/** Enough for one or the other, resource by resource. */
export function larger(one: Demand, other: Demand): Demand {
  return combine(one, other, Math.max)
}

function combine(one: Demand, other: Demand, of: (a: number, b: number) => number): Demand {
  return {
    jobs: of(one.jobs, other.jobs),
    slots: of(one.slots, other.slots),
    cpu: of(one.cpu, other.cpu),
    memory: of(one.memory, other.memory),
  }
}

/** `4`, `4500m`, `5Gi`. */
export function amountText(resource: QuotaResource, amount: number): string {
  if (resource === 'cpu') return formatCores(amount)
  return resource === 'memory' ? formatBytes(amount) : String(amount)
}
