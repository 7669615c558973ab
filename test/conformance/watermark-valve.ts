/**
 * Vectors of the watermark valve: watermarks and statuses of channels in, those of the output out.
 *
 * They were observed before FLINK-40475 was mended, which about one random sequence in two thousand
 * shows. Weir has the mended rules. So a line whose `out` is what the defect gives is held against
 * what the mended rules give instead, by a model of both; any other difference fails.
 */
import { WatermarkValve } from '../../src/runtime/watermark-valve.ts'
import { ValveModel, type ValveOp } from './models/valve-model.ts'

interface Line {
  readonly channels: number
  readonly ops: readonly (ValveOp & { readonly out: readonly unknown[] })[]
}

/** `undefined` when the line passes, else what differs. */
export function run(line: unknown): string | undefined {
  const { channels, ops } = line as Line
  const wanted = ops.map(op => op.out)
  const got = weirOut(channels, ops)
  if (JSON.stringify(got) === JSON.stringify(wanted)) return undefined
  const isDefect = isSame(modelOut(channels, ops, false), wanted)
  const mended = modelOut(channels, ops, true)
  if (isDefect && isSame(got, mended)) return undefined
  const index = got.findIndex((rows, i) => !isSame(rows, wanted[i]))
  return `op ${index}: wanted ${JSON.stringify(wanted[index])}, got ${JSON.stringify(got[index])}`
}

export function weirOut(channels: number, ops: readonly ValveOp[]): readonly unknown[] {
  let out: unknown[] = []
  const valve = new WatermarkValve(channels, {
    emitWatermark: wm => out.push({ wm }),
    emitStatus: status => out.push({ status }),
  })
  return ops.map(({ ch, wm, status }) => {
    out = []
    if (wm !== undefined) valve.watermarkOn(ch, wm)
    if (status !== undefined) valve.statusOn(ch, status)
    return out
  })
}

export function modelOut(
  channels: number,
  ops: readonly ValveOp[],
  mended: boolean,
): readonly unknown[] {
  const model = new ValveModel(channels, { mended })
  return ops.map(op => model.run(op))
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
