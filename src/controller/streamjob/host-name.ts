/**
 * By which name taskmanagers find their jobmanager. Each epoch has its own, so that one that waits
 * to begin has its taskmanagers already.
 */

/** Of the Service below which jobmanagers have their names. */
export function serviceName(job: string): string {
  return `${job}-jm`
}

/** Of the jobmanager of an epoch, also of one that takes the place of another. */
export function hostName(epoch: number): string {
  return `jm-${epoch}`
}
