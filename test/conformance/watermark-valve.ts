/** Vectors of the watermark valve: watermarks and statuses of channels in, those of the output out. */
import { WatermarkValve } from '../../src/runtime/watermark-valve.ts'

interface Line {
  readonly channels: number
  readonly ops: readonly {
    readonly ch: number
    readonly wm?: number
    readonly status?: 'idle' | 'active'
    readonly out: readonly unknown[]
  }[]
}

/** `undefined` when the line passes, else what differs. */
export function run(line: unknown): string | undefined {
  const { channels, ops } = line as Line
  let out: unknown[] = []
  const valve = new WatermarkValve(channels, {
    emitWatermark: wm => out.push({ wm }),
    emitStatus: status => out.push({ status }),
  })
  for (const [index, op] of ops.entries()) {
    out = []
    if (op.wm !== undefined) valve.watermarkOn(op.ch, op.wm)
    if (op.status !== undefined) valve.statusOn(op.ch, op.status)
    const [got, wanted] = [JSON.stringify(out), JSON.stringify(op.out)]
    if (got !== wanted) return `op ${index}: wanted ${wanted}, got ${got}`
  }
  return undefined
}
