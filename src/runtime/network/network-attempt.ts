/** Whose channels a connection carries: those of one attempt of one failover region. */
export interface NetworkAttempt {
  /** Of the job's attempt; a later jobmanager's is higher. */
  readonly generation: number
  readonly region: number
  /** Of the region; grows as long as the generation is the same. */
  readonly attempt: number
}

/** Whether `one` is a later attempt of its region than `other`. */
export function isLater(one: NetworkAttempt, other: NetworkAttempt): boolean {
  return one.generation === other.generation
    ? one.attempt > other.attempt
    : one.generation > other.generation
}

/** For people: `17.4`. */
export function attemptText({ generation, attempt }: Omit<NetworkAttempt, 'region'>): string {
  return `${generation}.${attempt}`
}
