/** Which operators keep state, and so need a uid. */
import type { OperatorSpec } from '../api/transformation.ts'

/**
 * What the operator keeps, for messages (`keeps the positions of its splits`); `undefined` when it
 * keeps nothing and needs no uid.
 */
export function stateReason(operator: OperatorSpec): string | undefined {
  switch (operator.kind) {
    case 'map':
    case 'filter':
    case 'flat-map':
    case 'watermarks':
      return undefined
    case 'source':
      return 'keeps the positions of its splits'
    case 'process':
    case 'co-process': {
      const declares = Object.keys(operator.fn.operatorState ?? {}).length > 0
      return declares ? 'keeps operator state' : undefined
    }
    case 'keyed-process':
    case 'keyed-reduce':
    case 'keyed-aggregate':
    case 'keyed-co-process':
      return 'keeps state by key'
    case 'window':
    case 'window-join':
    case 'window-co-group':
      return 'keeps the contents of windows'
    case 'interval-join':
      return 'keeps records of both sides'
    case 'broadcast-process':
    case 'keyed-broadcast-process':
      return 'keeps broadcast state'
    case 'async':
      return 'keeps the records in flight'
    case 'sink':
      return (operator.sink.stateful ?? operator.sink.createCommitter !== undefined)
        ? 'keeps what is not yet committed'
        : undefined
  }
}
