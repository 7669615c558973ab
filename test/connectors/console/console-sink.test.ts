import { describe, expect, test } from '@jest/globals'
import { consoleSink, type LineOutput } from '../../../src/connectors/console/index.ts'
import { json } from '../../../src/schema/json-format.ts'
import { record } from '../../../src/schema/record.ts'
import { z } from '../../../src/schema/z.ts'
import { SinkRun } from '../../contract/sink-run.ts'
import { ManualClock } from '../manual-clock.ts'

class Paper implements LineOutput {
  text = ''
  full = false
  #waiting: (() => void) | undefined

  write(bytes: Uint8Array): boolean {
    this.text += Buffer.from(bytes).toString()
    return !this.full
  }

  onDrain(callback: () => void): void {
    this.#waiting = callback
  }

  drain(): void {
    this.full = false
    this.#waiting?.()
  }
}

describe('the console sink', () => {
  test('prints values as JSON lines and text as it is, with the prefix', async () => {
    const output = new Paper()
    const sink = consoleSink<unknown>({ output, prefix: 'out> ' })
    const run = await SinkRun.start(sink as never, { parallelism: 1 })
    await run.write({ a: 1 } as never, 'text' as never, { big: 5n } as never, undefined as never)
    await run.finish()
    expect(output.text).toBe('out> {"a":1}\nout> text\nout> {"big":"5"}\nout> undefined\n')
  })

  test('prints by a format', async () => {
    const output = new Paper()
    const Row = record({ at: z.timestamp({ json: 'iso' }) })
    const sink = consoleSink({ output, format: json(Row) })
    const run = await SinkRun.start(sink as never, { parallelism: 1 })
    await run.write({ at: 0 } as never)
    await run.finish()
    expect(output.text).toBe('{"at":"1970-01-01T00:00:00.000Z"}\n')
  })

  test('shows a line soon, without a barrier', async () => {
    const clock = new ManualClock()
    const output = new Paper()
    const run = await SinkRun.start(consoleSink<string>({ output }) as never, {
      parallelism: 1,
      clock,
    })
    await run.write('a' as never, 'b' as never)
    expect(output.text).toBe('')
    clock.advance(100)
    expect(output.text).toBe('a\nb\n')
    await run.write('c' as never)
    clock.advance(100)
    expect(output.text).toBe('a\nb\nc\n')
    await run.close()
  })

  test('holds the task back while the terminal takes nothing', async () => {
    const output = new Paper()
    let woken = 0
    const sink = consoleSink<string>({ output })
    const writer = await sink.createWriter(
      { clock: new ManualClock(), wakeUp: () => woken++ } as never,
      [],
    )
    output.full = true
    writer.write('x'.repeat(20_000), 0)
    expect(writer.blocked).toBe(true)
    output.drain()
    expect(writer.blocked).toBe(false)
    expect(woken).toBe(1)
    await writer.close()
  })
})
