/**
 * `kill -9`, pauses, full disks: the all-round job gives what it should. A slice of the matrix here,
 * the whole with `./weir test --long`, which ends with its table.
 */
import { afterAll, expect, test } from '@jest/globals'
import { faults } from './faults.ts'
import {
  type Cell,
  type CellResult,
  matrix,
  nameOf,
  obstacleTo,
  runCell,
  sliceOf,
} from './kill-matrix.ts'

const seed = Number(process.env.WEIR_TEST_SEED ?? 1)
const isLong = process.env.WEIR_TEST_LONG === '1'
/** To repeat one cell. */
const only = process.env.WEIR_FORCE_CELL

const wanted =
  only === undefined
    ? isLong
      ? matrix
      : sliceOf(seed)
    : matrix.filter(cell => nameOf(cell) === only)
const results = new Map<Cell, CellResult>()

test.each(wanted.map(cell => [nameOf(cell), cell] as const))(
  '%s',
  async (name, cell) => {
    const obstacle = obstacleTo(cell)
    if (obstacle !== undefined) {
      process.stdout.write(`${name} is left out: ${obstacle}\n`)
      return
    }
    const result = await runCell(cell, seed)
    results.set(cell, result)
    if (result.wrong.length > 0) {
      process.stdout.write(
        `${name} left ${result.folder}\n  again: ` +
          `WEIR_TEST_SEED=${seed} WEIR_FORCE_CELL=${name} ./weir test force/kill-matrix\n`,
      )
    }
    expect(result.wrong.slice(0, 20)).toEqual([])
  },
  180_000,
)

afterAll(() => {
  if (results.size > 1) process.stdout.write(`${tableOf(results)}\n`)
})

function lineOf({ alignment, slots }: Cell, result: CellResult): string {
  const { wrong, strikes, restarts, inFlightBytes, seconds } = result
  const what = `${alignment}, then ${slots} slots`.padEnd(30)
  const outcome = wrong.length === 0 ? 'exact' : 'WRONG'
  const inFlight = `${(inFlightBytes / 1_000).toFixed(0)} kB in flight`
  const times = `${strikes} strikes, ${restarts} restarts, ${inFlight}, ${seconds.toFixed(1)} s`
  return `  ${what} ${outcome}  ${times}`
}

function tableOf(all: ReadonlyMap<Cell, CellResult>): string {
  const lines = ['', `kill matrix, seed ${seed}`]
  for (const { name, does } of faults) {
    const cells = [...all].filter(([cell]) => cell.fault === name)
    if (cells.length > 0) lines.push(`${name}: ${does}`)
    for (const [cell, result] of cells) lines.push(lineOf(cell, result))
  }
  return lines.join('\n')
}
