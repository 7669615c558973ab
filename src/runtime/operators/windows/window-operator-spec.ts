import type { OperatorSpec } from '../../../api/transformation.ts'
import type { KeyedStateBackend } from '../../../state/keyed-state-backend.ts'
import type { InternalTimerService } from '../../internal-timer-service.ts'
import type { OperatorContext } from '../../stream-operator.ts'
import type { OutputCollector } from '../output-collector.ts'

/** The operators over windows. */
export type WindowOperatorSpec = Extract<
  OperatorSpec,
  { readonly kind: 'window' | 'window-join' | 'window-co-group' }
>

/** Those with two inputs. */
export type WindowJoinSpec = Exclude<WindowOperatorSpec, { readonly kind: 'window' }>

/** What windows need of the operator that runs them. */
export interface WindowParts {
  readonly context: OperatorContext
  readonly backend: KeyedStateBackend
  /** Shows the operator's watermark. */
  readonly timers: Pick<InternalTimerService, 'watermark'>
  readonly collector: OutputCollector
}
