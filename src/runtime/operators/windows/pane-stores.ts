/** From an operator's spec to the stores of its panes. */
import { aggregatingState, listState, reducingState } from '../../../api/state-descriptor.ts'
import { assertDefined } from '../../../common/assert.ts'
import { cloneFunction } from '../../../common/clone-function.ts'
import { type AggregateWindowSpec, type Combining, isCombining, makeCombiner } from './combiner.ts'
import { makeEmitGroup } from './join-contents.ts'
import { KeyNumbers } from './key-numbers.ts'
import { mergedAccumulators } from './merged-accumulators.ts'
import { mergedPanes } from './merged-panes.ts'
import type { PaneGrid } from './pane-grid.ts'
import {
  type CombiningState,
  combinedPanes,
  elementPanes,
  joinPanes,
  type PaneStore,
} from './pane-store.ts'
import type { FireWindow } from './window-contents.ts'
import type { WindowJoinSpec, WindowOperatorSpec, WindowParts } from './window-operator-spec.ts'

export interface PaneStores {
  readonly panes: PaneStore
  /**
   * Windows that a restore has forgotten and that records began anew, each under its start: the
   * panes' older contents are not theirs.
   */
  readonly reopened: PaneStore
  readonly reopenedStarts: () => Iterable<number>
}

export interface PaneStoreParts extends WindowParts {
  readonly grid: PaneGrid
  readonly fire: FireWindow
}

interface NamedStore {
  readonly store: PaneStore
  readonly namespaces: () => Iterable<number>
}

export function makePaneStores(spec: WindowOperatorSpec, parts: PaneStoreParts): PaneStores {
  const reopened = makeOnePaneStore(spec, parts, '$reopened')
  const isMerged = parts.grid.paneMs < parts.grid.sizeMs
  return {
    panes:
      isMerged && isCombining(spec)
        ? makeMerged(spec, parts)
        : makeOnePaneStore(spec, parts, PANES).store,
    reopened: reopened.store,
    reopenedStarts: reopened.namespaces,
  }
}

const PANES = '$panes'
const layout = { layout: 'namespace' } as const

/** The store of windows that are one pane each. */
function makeOnePaneStore(
  spec: WindowOperatorSpec,
  parts: PaneStoreParts,
  name: string,
): NamedStore {
  const { backend, context, fire } = parts
  if (spec.kind !== 'window') return makeJoinStore(spec, parts, name)
  const { contents } = spec
  if (contents.kind === 'elements') {
    const state = backend.state(name, listState(context.inputTypes[0]), layout)
    const store = cloneFunction(elementPanes)({
      state,
      emit: (window, elements) => fire(window, window.start, elements),
    })
    return { store, namespaces: () => state.namespaces() }
  }
  const state = openCombining(contents, parts, name)
  const store = cloneFunction(combinedPanes)({
    state,
    emit: (window, result) => fire(window, window.start, [result]),
  })
  return { store, namespaces: () => state.namespaces() }
}

function makeJoinStore(spec: WindowJoinSpec, parts: PaneStoreParts, name: string): NamedStore {
  const { backend, context, collector } = parts
  const [leftType, rightType] = context.inputTypes
  const left = backend.state(`${name}-left`, listState(leftType), layout)
  const right = backend.state(`${name}-right`, listState(rightType), layout)
  const store = cloneFunction(joinPanes)({
    left,
    right,
    emit: makeEmitGroup(spec, collector),
    collector,
    oneSided: spec.kind === 'window-co-group',
  })
  return { store, namespaces: () => [...left.namespaces(), ...right.namespaces()] }
}

function makeMerged(spec: AggregateWindowSpec, parts: PaneStoreParts): PaneStore {
  const { backend, context, grid, fire } = parts
  const combiner = assertDefined(
    makeCombiner(spec.contents, context.inputTypes[0]),
    'panes of sliding windows are merged',
  )
  return cloneFunction(mergedPanes)({
    state: openCombining(spec.contents, parts, PANES),
    paneMs: grid.paneMs,
    backend,
    numbers: new KeyNumbers(),
    merged: cloneFunction(mergedAccumulators)(combiner),
    emit: (window, result) => fire(window, window.start, [result]),
  })
}

function openCombining(
  contents: Combining,
  { backend, context }: PaneStoreParts,
  name: string,
): CombiningState {
  return contents.kind === 'reduce'
    ? backend.state(name, reducingState(contents.reduce, context.inputTypes[0]), layout)
    : backend.state(name, aggregatingState(contents.aggregate), layout)
}
