import type { OutputTag } from '../../../api/functions.ts'
import type { OperatorContext, Push } from '../../stream-operator.ts'

/** Where late elements go: to the side output, or, where the job named none, into a counter. */
export function makeLateOutput(
  context: OperatorContext,
  tag: OutputTag<unknown> | undefined,
): Push {
  if (tag !== undefined) return context.sideOutput(tag.id)
  const { metrics } = context
  return () => {
    metrics.lateRecordsDropped++
  }
}
