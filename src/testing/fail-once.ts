/**
 * A map function that passes records on and throws at the `records`-th it sees, `times` times in
 * all: the subtask fails there, and the job restarts. The count goes on over restarts.
 */
export function failOnce<T>(records: number, times = 1): (value: T) => T {
  let seen = 0
  let thrown = 0
  return value => {
    seen++
    if (seen >= records && thrown < times) {
      thrown++
      seen = 0
      throw new Error(`planned failure ${thrown} at record ${records}`)
    }
    return value
  }
}
