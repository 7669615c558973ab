/** What a job's builder function gets: the way to its sources and its arguments. */

import { type Duration, durationMs } from '../common/duration.ts'
import type { OperatorStream } from './data-stream.ts'
import type { JobArguments } from './job-arguments.ts'
import { PipelineBuilder } from './pipeline-builder.ts'
import type { Source, SourceSplit } from './source.ts'
import { GraphDataStream, GraphOperatorStream } from './streams/graph-data-stream.ts'
import { erased, type StreamContext, typeOrGeneral } from './streams/stream-context.ts'
import type { Transformation } from './transformation.ts'
import { resolveWatermarks, type WatermarkChoice, watermarks } from './watermarks.ts'

export interface EnvironmentOptions {
  readonly args: JobArguments
  readonly parallelism: number
}

/** One for each build of a job. */
export class StreamEnvironment {
  /** The job's arguments. */
  readonly args: JobArguments
  /** The job's parallelism: that of every operator which sets none. */
  readonly parallelism: number
  #bufferTimeoutMs: number | undefined
  readonly #builder = new PipelineBuilder()
  readonly #context: StreamContext = {
    builder: this.#builder,
    operatorStream: transformation => new GraphOperatorStream(this.#context, transformation),
    dataStream: origin => new GraphDataStream(this.#context, origin),
  }

  constructor(options: EnvironmentOptions) {
    this.args = options.args
    this.parallelism = options.parallelism
  }

  /** The operators added so far, inputs first. */
  get transformations(): readonly Transformation[] {
    return this.#builder.transformations
  }

  /** What `bufferTimeout` set; `undefined`: as the manifest says. */
  get bufferTimeoutMs(): number | undefined {
    return this.#bufferTimeoutMs
  }

  /**
   * How long a record may wait for others before it leaves for another slot: more is faster for
   * many records, less for each. 0: not beyond what is at hand. Goes before the manifest's
   * `network.bufferTimeout`.
   */
  bufferTimeout(timeout: Duration): this {
    this.#bufferTimeoutMs = durationMs(timeout)
    return this
  }

  /**
   * The records of a source. It needs a uid: `env.from(flights, …).uid('flights')`. Without a
   * watermark strategy there is no event time until the input ends.
   */
  from<T, S extends SourceSplit>(
    source: Source<T, S>,
    strategy: WatermarkChoice<NoInfer<T>> = watermarks.none(),
  ): OperatorStream<T> {
    const transformation = this.#builder.add({
      operator: {
        kind: 'source',
        source: erased(source),
        watermarks: erased(resolveWatermarks(strategy)),
      },
      name: source.name,
      inputs: [],
      outputType: typeOrGeneral(source.output),
    })
    return new GraphOperatorStream<T>(this.#context, transformation)
  }
}
