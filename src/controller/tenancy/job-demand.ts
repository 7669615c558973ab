/** What a job takes of a quota: of its spec, and as its status keeps it; pure. */
import { formatBytes, formatCores } from '../../protocol/quantity.ts'
import { streamJobSpecSchema } from '../../protocol/stream-job.ts'
import type { StreamJobStatus } from '../../protocol/stream-job-status.ts'
import { bytes, type Demand, thousandths } from './demand.ts'

/** As the status of a job keeps it. */
export type Reserved = NonNullable<StreamJobStatus['reserved']>

const sized = streamJobSpecSchema.pick({ parallelism: true, resources: true })

/**
 * Of all pods of a deployment. The spec may be of a version that has more fields: those that are
 * not known take nothing.
 */
export function demandOf(spec: unknown): Demand {
  const { parallelism, resources } = (spec ?? {}) as Readonly<Record<string, unknown>>
  const { data = sized.parse({}) } = sized.safeParse({ parallelism, resources })
  const { jobManager, taskManager } = data.resources
  const slots = data.parallelism
  return {
    jobs: 1,
    slots,
    cpu: thousandths(jobManager.cpu) + slots * thousandths(taskManager.cpu),
    memory: bytes(jobManager.memory) + slots * bytes(taskManager.memory),
  }
}

export function reservedOf({ slots, cpu, memory }: Demand): Reserved {
  return { slots, cpu: formatCores(cpu), memory: formatBytes(memory) }
}

export function demandOfReserved({ slots, cpu, memory }: Reserved): Demand {
  return { jobs: 1, slots, cpu: thousandths(cpu), memory: bytes(memory) }
}
