/** What is found of a job: becomes one of the conditions of its status. */
export interface Finding {
  readonly type:
    | 'Ready'
    | 'Reconciling'
    | 'Stalled'
    | 'Scheduled'
    | 'Running'
    | 'CheckpointHealthy'
    | 'UpgradeInProgress'
    | 'RolledBack'
  readonly holds: boolean
  /** A constant. */
  readonly reason: string
  /** Names the object, the value and the next step. */
  readonly message: string
}
