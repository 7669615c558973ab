/** The generator against the vectors that other engines were fed with. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { NexmarkGenerator } from '../../../src/connectors/nexmark/nexmark-generator.ts'
import { vectorFolder } from '../../conformance/vector-folder.ts'

const present = existsSync(join(vectorFolder, 'nexmark-vectors.jsonl'))
const read = (name: string): string => readFileSync(join(vectorFolder, name), 'utf8')

// Without the vectors beside the checkout there is nothing to compare with.
const describeWithVectors = present ? describe : describe.skip

describeWithVectors('the Nexmark generator equals the vectors', () => {
  test('event by event', () => {
    const { eventAt } = new NexmarkGenerator(500)
    const lines = read('nexmark-vectors.jsonl').trimEnd().split('\n')
    expect(lines.map((_, n) => JSON.stringify(eventAt(n)))).toEqual(lines)
  })

  test('by the checksum of many events', () => {
    const rates = JSON.parse(read('nexmark-checksums.json')) as {
      [rate: string]: { [count: string]: string }
    }
    for (const [rate, counts] of Object.entries(rates)) {
      const { eventAt } = new NexmarkGenerator(Number(rate))
      const wanted = Object.entries(counts).filter(([count]) => Number(count) <= 10_000)
      let sum = 0x811c9dc5
      let n = 0
      for (const [count, expected] of wanted) {
        for (; n < Number(count); n++) sum = fnv1a(sum, `${JSON.stringify(eventAt(n))}\n`)
        expect([rate, count, hex(sum)]).toEqual([rate, count, expected])
      }
    }
  })
})

// A global is slow to reach from within a test.
const { imul } = Math

function fnv1a(start: number, text: string): number {
  let sum = start
  for (let i = 0; i < text.length; i++) sum = imul(sum ^ text.charCodeAt(i), 0x01000193)
  return sum
}

function hex(sum: number): string {
  return (sum >>> 0).toString(16).padStart(8, '0')
}
