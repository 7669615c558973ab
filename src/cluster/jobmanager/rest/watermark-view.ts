/** `none`: before the first; `end`: no further record can come. */
export interface WatermarkView {
  readonly phase: 'none' | 'running' | 'end'
  readonly timestampMs: number | null
}

export function watermarkView(timestamp: number): WatermarkView {
  if (timestamp === Number.NEGATIVE_INFINITY) return { phase: 'none', timestampMs: null }
  if (timestamp === Number.POSITIVE_INFINITY) return { phase: 'end', timestampMs: null }
  return { phase: 'running', timestampMs: timestamp }
}
