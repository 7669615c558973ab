/**
 * The test kit, imported as `weir/testing`: single operators, whole jobs, and the parts of the
 * world that a test wants to hold in its hand.
 */
export { MemoryStore } from '../storage/memory-store.ts'
export type { ObjectBytes, ObjectEntry, ObjectStore } from '../storage/object-store.ts'
export { type CollectSink, collectSink } from './collect-sink.ts'
export { failOnce } from './fail-once.ts'
export {
  FaultyObjectStore,
  type FaultyObjectStoreOptions,
  type StoreCall,
  type StoreFault,
} from './faulty-object-store.ts'
export { ManualClock } from './manual-clock.ts'
export {
  type HarnessOptions,
  type HarnessOutput,
  type HarnessSnapshot,
  OperatorHarness,
} from './operator-harness.ts'
export {
  type FinishedJob,
  type RunJobOptions,
  type RunningJob,
  runJob,
  startJob,
} from './run-job.ts'
