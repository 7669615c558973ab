/** Vectors of watermark generators with idleness, and of merging the watermarks of splits. */
import { MAX_TIMESTAMP } from '../../src/common/timestamps.ts'
import {
  BoundedOutOfOrdernessGenerator,
  PeriodicWatermarks,
} from '../../src/runtime/watermark-generators.ts'
import { WatermarkMultiplexer } from '../../src/runtime/watermark-multiplexer.ts'
import type { ValveOutput } from '../../src/runtime/watermark-valve.ts'

type Op = readonly (string | number)[]

interface Line {
  readonly kind: 'generator' | 'multiplexer'
  readonly outOfOrderness?: number
  readonly interval: number
  readonly idleness?: number
  readonly ops: readonly Op[]
  readonly out: readonly unknown[]
}

/** `undefined` when the line passes, else what differs. */
export function run(line: unknown): string | undefined {
  const { ops, out, ...config } = line as Line
  let rows: unknown[] = []
  const output: ValveOutput = {
    emitWatermark: watermark => rows.push(['w', watermark === MAX_TIMESTAMP ? 'MAX' : watermark]),
    emitStatus: status => rows.push([status]),
  }
  const apply = config.kind === 'generator' ? generator(config, output) : multiplexer(output)
  for (const [index, op] of ops.entries()) {
    rows = []
    apply(op)
    const [got, wanted] = [JSON.stringify(rows), JSON.stringify(out[index] || [])]
    if (got !== wanted) return `op ${index} ${JSON.stringify(op)}: wanted ${wanted}, got ${got}`
  }
  return undefined
}

function time(value: string | number | undefined): number {
  return value === 'MAX' ? MAX_TIMESTAMP : Number(value)
}

function generator(config: Omit<Line, 'ops' | 'out'>, output: ValveOutput): (op: Op) => void {
  const watermarks = new PeriodicWatermarks({
    generator: new BoundedOutOfOrdernessGenerator(config.outOfOrderness ?? 0),
    idlenessMs: config.idleness ?? 0,
    output,
  })
  let due = config.interval
  return ([kind, argument]) => {
    if (kind === 'e') watermarks.onRecord(undefined, time(argument))
    else if (kind === 'w') watermarks.onUpstreamWatermark(time(argument))
    else if (time(argument) >= due) {
      due = time(argument) + config.interval
      watermarks.onPeriodic(time(argument))
    }
  }
}

function multiplexer(output: ValveOutput): (op: Op) => void {
  const splits = new WatermarkMultiplexer(output)
  const statuses = (id: string, idle: boolean, when: unknown): void => {
    splits.noteIdle(id, idle)
    if (when === 'now') splits.combine()
  }
  return ([kind, argument, when, watermark]) => {
    const id = String(argument)
    if (kind === 'register') splits.register(id)
    else if (kind === 'unregister') splits.unregister(id)
    else if (kind === 'periodic') splits.combine()
    else if (kind === 'idle' || kind === 'active') statuses(id, kind === 'idle', when)
    else if (when === 'now') splits.advance(id, time(watermark))
    else splits.note(id, time(watermark))
  }
}
