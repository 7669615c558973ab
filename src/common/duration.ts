/**
 * Durations as people write them (`500ms`, `30s`, `5m`, `1h30m`) and as the engine uses them:
 * whole milliseconds in a number.
 */
import { defineErrors } from './errors.ts'

type DurationUnit = 'ms' | 's' | 'm' | 'h' | 'd'

/** Milliseconds as a number, or a text such as `'500ms'`, `'30s'`, `'5m'`, `'6h'`, `'1d'`. */
export type Duration = number | `${number}${DurationUnit}` | `${number}h${number}m`

export const durationErrors = defineErrors({
  WEIR_DURATION_INVALID: {
    domain: 'user',
    retry: 'never',
    message: (e: { value: string }) => `not a duration: ${e.value}`,
    next: 'write a number and a unit, such as 500ms, 30s, 5m, 6h or 1d, or milliseconds',
  },
})

const unitMs: Record<DurationUnit, number> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

const whole = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/
const part = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g

/** The text in milliseconds, or `undefined` when it is no duration. Fractions are rounded. */
export function parseDuration(text: string): number | undefined {
  if (!whole.test(text)) return undefined
  let sumMs = 0
  for (const [, amount, unit] of text.matchAll(part)) {
    sumMs += Number(amount) * unitMs[unit as DurationUnit]
  }
  const rounded = Math.round(sumMs)
  return Number.isSafeInteger(rounded) ? rounded : undefined
}

/** Whole milliseconds, never negative. Throws WEIR_DURATION_INVALID. */
export function durationMs(value: Duration): number {
  const ms = typeof value === 'number' ? value : parseDuration(value)
  if (ms === undefined || !Number.isSafeInteger(ms) || ms < 0) {
    throw durationErrors.WEIR_DURATION_INVALID({ value: JSON.stringify(value) ?? String(value) })
  }
  return ms
}

/** For people: the two largest units (`1h30m`, `2.5s`, `12ms`); never more digits than help. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return ms > 0 ? 'forever' : 'never'
  if (ms < 0) return `-${formatDuration(-ms)}`
  if (ms < 1_000) return `${Number.isInteger(ms) ? ms : Number(ms.toPrecision(2))}ms`
  if (ms < unitMs.m) return `${Number((Math.floor(ms / 100) / 10).toFixed(1))}s`
  if (ms < unitMs.h) return twoUnits(ms, 'm', 's')
  if (ms < unitMs.d) return twoUnits(ms, 'h', 'm')
  return twoUnits(ms, 'd', 'h')
}

function twoUnits(ms: number, large: DurationUnit, small: DurationUnit): string {
  const count = Math.floor(ms / unitMs[large])
  const rest = Math.floor((ms % unitMs[large]) / unitMs[small])
  return rest === 0 ? `${count}${large}` : `${count}${large}${rest}${small}`
}
