import type { SinkCheckpoint } from '../../contract/sink-run.ts'

/** As the brokers have its transactions a week later: they know none of their names. */
export function forgotten(checkpoint: SinkCheckpoint): SinkCheckpoint {
  const committables = checkpoint.committables.map(({ checkpointId, value }) => ({
    checkpointId,
    value: { ...(value as object), transactionalId: 'a-name-that-is-not-there' },
  }))
  return { ...checkpoint, committables }
}
