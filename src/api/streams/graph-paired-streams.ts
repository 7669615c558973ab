/** Window joins and co-groups: `a.join(b).where(…).equalTo(…).window(…).apply(…)`. */
import { type Duration, durationMs } from '../../common/duration.ts'
import type { Schema } from '../../schema/type.ts'
import type {
  DataStream,
  OperatorStream,
  PairedKeys,
  PairedStreams,
  PairedWhere,
  WindowedCoGroup,
  WindowedJoin,
} from '../data-stream.ts'
import type { CoGroupFunction, JoinFunction, Key, KeySelector } from '../functions.ts'
import { ORIGIN, partitionedBy } from '../stream-origin.ts'
import type { OperatorSpec, WindowSpec } from '../transformation.ts'
import type { Trigger, WindowAssigner } from '../window.ts'
import { checkWindow } from './check-window.ts'
import type { Selector } from './graph-connected-streams.ts'
import { addOperator, erased, type StreamContext, typeOrGeneral } from './stream-context.ts'

interface PairParts<A, B> {
  readonly context: StreamContext
  readonly first: DataStream<A>
  readonly second: DataStream<B>
  readonly keySelectors: readonly Selector[]
  readonly window: WindowSpec
}

/** Both streams; `finish` turns keys and window into the last step. */
export function pairStreams<A, B, END>(
  context: StreamContext,
  streams: { readonly first: DataStream<A>; readonly second: DataStream<B> },
  finish: (parts: PairParts<A, B>) => END,
): PairedStreams<A, B, END> {
  return {
    where<const K extends Key>(left: KeySelector<A, K>): PairedWhere<A, B, K, END> {
      return { equalTo: right => windowing([erased(left), erased(right)]) }
    },
  }

  function windowing(keySelectors: readonly Selector[]): PairedKeys<A, B, END> {
    return {
      window: (assigner: WindowAssigner<A | B>) =>
        finish({ context, ...streams, keySelectors, window: windowOf(assigner) }),
    }
  }
}

function windowOf<T>(assigner: WindowAssigner<T>): WindowSpec {
  return {
    assigner: erased(assigner),
    trigger: undefined,
    evictor: undefined,
    allowedLatenessMs: 0,
    lateTag: undefined,
  }
}

/** What joins and co-groups have in common. */
abstract class PairedWindow<A, B> {
  protected readonly parts: PairParts<A, B>

  constructor(parts: PairParts<A, B>) {
    this.parts = parts
  }

  protected changed(change: Partial<WindowSpec>): PairParts<A, B> {
    return { ...this.parts, window: { ...this.parts.window, ...change } }
  }

  protected add<OUT>(operator: OperatorSpec, output: Schema<OUT> | undefined): OperatorStream<OUT> {
    const { context, first, second, keySelectors, window } = this.parts
    checkWindow(window)
    const inputs = [first[ORIGIN], second[ORIGIN]].map((origin, index) =>
      partitionedBy(origin, { kind: 'key', selector: erased(keySelectors[index]) }),
    )
    return addOperator<OUT>(context, {
      operator,
      name: `${operator.kind} ${window.assigner.name}`,
      inputs,
      keySelectors,
      outputType: typeOrGeneral(output),
    })
  }
}

export class GraphWindowedJoin<A, B> extends PairedWindow<A, B> implements WindowedJoin<A, B> {
  trigger(trigger: Trigger<A | B>): WindowedJoin<A, B> {
    return new GraphWindowedJoin(this.changed({ trigger: erased(trigger) }))
  }

  allowedLateness(lateness: Duration): WindowedJoin<A, B> {
    return new GraphWindowedJoin(this.changed({ allowedLatenessMs: durationMs(lateness) }))
  }

  apply<OUT>(fn: JoinFunction<A, B, OUT>, output?: Schema<OUT>): OperatorStream<OUT> {
    const { window } = this.parts
    return this.add({ kind: 'window-join', window, fn: erased(fn) }, output)
  }
}

export class GraphWindowedCoGroup<A, B>
  extends PairedWindow<A, B>
  implements WindowedCoGroup<A, B>
{
  trigger(trigger: Trigger<A | B>): WindowedCoGroup<A, B> {
    return new GraphWindowedCoGroup(this.changed({ trigger: erased(trigger) }))
  }

  allowedLateness(lateness: Duration): WindowedCoGroup<A, B> {
    return new GraphWindowedCoGroup(this.changed({ allowedLatenessMs: durationMs(lateness) }))
  }

  apply<OUT>(fn: CoGroupFunction<A, B, OUT>, output?: Schema<OUT>): OperatorStream<OUT> {
    const { window } = this.parts
    return this.add({ kind: 'window-co-group', window, fn: erased(fn) }, output)
  }
}
