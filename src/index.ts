/**
 * The package's entry: all that a job needs. Tests of jobs import `weir/testing` beside it.
 */
export {
  averaging,
  combining,
  counting,
  greatest,
  smallest,
  summing,
} from './api/aggregates.ts'
export type * from './api/data-stream.ts'
export * from './api/functions.ts'
export {
  type BuildOptions,
  isJob,
  type Job,
  type JobBuilder,
  job,
  type Pipeline,
} from './api/job.ts'
export type { JobArguments } from './api/job-arguments.ts'
export type * from './api/sink.ts'
export type * from './api/source.ts'
export type * from './api/state.ts'
export * from './api/state-descriptor.ts'
export type { StreamEnvironment } from './api/stream-environment.ts'
export type * from './api/watermark-strategy.ts'
export {
  type WatermarkChoice,
  type WatermarkStrategyBuilder,
  type Watermarks,
  watermarks,
} from './api/watermarks.ts'
export type * from './api/window.ts'
export { cumulate } from './api/windows/cumulate-windows.ts'
export * as evictors from './api/windows/evictors.ts'
export { global } from './api/windows/global-windows.ts'
export { session } from './api/windows/session-windows.ts'
export { sliding } from './api/windows/sliding-windows.ts'
export * as triggers from './api/windows/triggers.ts'
export { tumbling } from './api/windows/tumbling-windows.ts'
export type { Duration } from './common/duration.ts'
export { WeirError } from './common/errors.ts'
export * from './connectors/blackhole/index.ts'
export * from './connectors/collection/index.ts'
export * from './connectors/console/index.ts'
export * from './connectors/datagen/index.ts'
export * from './connectors/files/index.ts'
export * from './connectors/kafka/index.ts'
export * from './connectors/nexmark/index.ts'
export { generalType } from './schema/general-type.ts'
export { json } from './schema/json-format.ts'
export { type Infer, type RecordType, record } from './schema/record.ts'
export { raw, text } from './schema/text-format.ts'
export type { Schema, Type } from './schema/type.ts'
export { typeOf } from './schema/type-of.ts'
export { z } from './schema/z.ts'
