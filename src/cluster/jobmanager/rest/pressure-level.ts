/** `OK` up to 10 % of the time backpressured, `LOW` up to 50 %, `HIGH` above. */
export type PressureLevel = 'OK' | 'LOW' | 'HIGH'

/** @param backpressuredMs of each second, 0 to 1000. */
export function pressureLevel(backpressuredMs: number): PressureLevel {
  if (backpressuredMs <= 100) return 'OK'
  return backpressuredMs <= 500 ? 'LOW' : 'HIGH'
}
