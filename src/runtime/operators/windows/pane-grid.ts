/**
 * The grid of panes under tumbling and sliding windows: the longest stretches of time that no
 * window begins or ends in. A record is in one pane; a window is a run of panes.
 */
import type { WindowShape } from '../../../api/window.ts'
import { windowStart } from '../../../api/windows/window-arithmetic.ts'

export interface PaneGrid {
  readonly sizeMs: number
  readonly slideMs: number
  readonly offsetMs: number
  readonly paneMs: number
}

type GridShape = Extract<WindowShape, { readonly kind: 'tumbling' | 'sliding' }>

export function makePaneGrid(shape: GridShape): PaneGrid {
  const { sizeMs, offsetMs } = shape
  const slideMs = shape.kind === 'tumbling' ? sizeMs : shape.slideMs
  return { sizeMs, slideMs, offsetMs, paneMs: greatestCommonDivisor(sizeMs, slideMs) }
}

/** How many panes a window has. */
export function panesPerWindow({ sizeMs, paneMs }: PaneGrid): number {
  return sizeMs / paneMs
}

/** The start of the pane that a timestamp is in. */
export function paneOf(grid: PaneGrid, timestamp: number): number {
  return windowStart(timestamp, grid.paneMs, grid.offsetMs)
}

/**
 * The starts of the windows that a pane is in, latest first; none in the gaps of slide above size.
 */
export function windowsOfPane(grid: PaneGrid, pane: number): readonly number[] {
  const starts: number[] = []
  const last = windowStart(pane, grid.slideMs, grid.offsetMs)
  for (let start = last; start > pane - grid.sizeMs; start -= grid.slideMs) starts.push(start)
  return starts
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
