/** Of several waits the shortest, in milliseconds; `undefined`: there is none. */
export function soonest(...waits: readonly (number | undefined)[]): number | undefined {
  const known = waits.filter(one => one !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}
