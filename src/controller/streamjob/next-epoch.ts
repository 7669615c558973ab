import type { StreamJobStatus } from '../../protocol/stream-job-status.ts'

/** J1: of the next deployment. Pods that were warm and came to nothing had a number, too. */
export function nextEpoch({ epochs = 0, epoch = 0 }: StreamJobStatus): number {
  return Math.max(epochs, epoch) + 1
}
