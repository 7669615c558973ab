import type { OperatorContext, StreamOperator } from '../../stream-operator.ts'
import { isCombining } from './combiner.ts'
import { makePaneGrid, panesPerWindow } from './pane-grid.ts'
import { PaneWindowOperator } from './pane-window-operator.ts'
import { SessionWindowOperator } from './session-window-operator.ts'
import { WindowOperator } from './window-operator.ts'
import type { WindowOperatorSpec } from './window-operator-spec.ts'

/**
 * `panes`: one accumulator a key and pane, fired by a visit. `sessions`: one entry a key, with lazy
 * timers. `general`: everything else.
 */
export type WindowPath = 'panes' | 'sessions' | 'general'

/** Walking over more panes a window and key would cost more than it saves. */
const PANES_MAX = 1_000

/** The fastest path that gives the general one's results. Pure: it depends on the spec only. */
export function chooseWindowPath(spec: WindowOperatorSpec): WindowPath {
  const { assigner, trigger, evictor } = spec.window
  const { shape, timeDomain } = assigner
  if (timeDomain !== 'event' || trigger !== undefined || evictor !== undefined) return 'general'
  const fn = spec.kind === 'window' ? spec.fn : undefined
  if (fn?.windowState !== undefined || fn?.clear !== undefined) return 'general'
  if (shape.kind === 'session') {
    return shape.gapMs !== undefined && isMergeable(spec) ? 'sessions' : 'general'
  }
  if (shape.kind !== 'tumbling' && shape.kind !== 'sliding') return 'general'
  const panes = panesPerWindow(makePaneGrid(shape))
  if (panes === 1) return 'panes'
  return isMergeable(spec) && panes <= PANES_MAX ? 'panes' : 'general'
}

function isMergeable(spec: WindowOperatorSpec): boolean {
  if (!isCombining(spec)) return false
  return spec.contents.kind === 'reduce' || spec.contents.aggregate.merge !== undefined
}

/** The operator of a window, on the path that suits it best. */
export function makeWindowOperator(
  context: OperatorContext,
  spec: WindowOperatorSpec,
): StreamOperator {
  const path = chooseWindowPath(spec)
  if (path === 'panes') return new PaneWindowOperator(context, spec)
  if (path === 'sessions' && isCombining(spec)) return new SessionWindowOperator(context, spec)
  return new WindowOperator(context, spec)
}
