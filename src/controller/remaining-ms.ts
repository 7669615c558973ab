/**
 * What is left of a wait that began at `sinceMs`. Never more than all of it, and never less than
 * nothing: the two times may be of different machines, as that of a node and of the API server.
 */
export function remainingMs(sinceMs: number, delayMs: number, nowMs: number): number {
  return Math.min(delayMs, Math.max(0, sinceMs + delayMs - nowMs))
}
