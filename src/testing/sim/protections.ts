/**
 * What keeps a job exact. The simulation can switch each off, to prove that it would notice: a
 * checker that finds nothing then is worth nothing.
 */
export const protections = {
  alignment: 'a channel whose barrier came is blocked until all barriers came',
  unblocking: 'blocked channels are opened when a checkpoint is given up or cut',
  'fifo-channels': 'what is sent on one channel arrives in its order',
  'instant-cut': 'the state in a snapshot is that of one instant, not of the upload',
  'stored-before-ack': 'a snapshot is acknowledged after it was stored',
  'stored-before-complete': 'a checkpoint completes after its metadata was stored',
  'verified-generation': 'a checkpoint completes only where no newer generation began',
  'exclusive-generation': 'of two attempts that take one generation, one fails',
  'reserved-ids': 'checkpoint ids are durable before they are used',
  lineage: 'an attempt restores only what belongs to the lineage of its predecessor',
  'asked-once': 'what was asked for at first holds for the first attempt that may have run',
  'savepoint-noted': 'a savepoint that ended the job is where the next start looks',
  'rescale-noted': 'an order to rescale is durable before it is taken',
  'successor-first': 'a checkpoint is removed after a newer one completed',
  'doubtful-kept': 'files stay whose metadata may be in the store',
  'idempotent-commit': 'a transaction that is committed again changes nothing',
  'commit-after-complete': 'a sink commits after its checkpoint completed',
  'committables-stored': 'what is not committed yet is part of the state',
  'committables-restored': 'what a restored checkpoint holds uncommitted is committed',
  'key-group-routing': 'records and state are divided by the same key groups',
  'splits-handed-back':
    'a split that a restarted reader got after its checkpoint is given out again',
  'channels-per-attempt': 'what an attempt that is over has sent is taken by no other',
  'splits-behind-barrier': 'a split given out after the enumerator was cut follows the barrier',
  'channel-recording': 'data before a missing barrier is part of an unaligned checkpoint',
  'record-until-barrier': 'what arrives after the cut and before its barrier is recorded too',
  'post-barrier-not-recorded': 'what stands behind a barrier is recorded by nobody',
  'output-recording': 'what a barrier overtook at its sender is part of the checkpoint',
  'behind-barrier-waits': 'what stands behind a barrier that overtook is not taken before it',
  'channel-state-restored': 'what was in flight is restored',
  'input-before-output': "of what was in flight the receiver's part comes before the sender's",
  'restored-before-new': 'what was in flight is taken before anything new',
  'restored-filter': 'of a channel that several receivers restore, each takes its own records',
  'timeout-from-global-start': 'the patience of an alignment counts from the trigger',
  'checkpoint-timeout': 'a checkpoint that cannot finish is given up',
} as const

export type Protection = keyof typeof protections

export function protectionNames(): readonly Protection[] {
  return Object.keys(protections) as Protection[]
}
