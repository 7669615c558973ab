import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { SeededRandom } from '../../src/common/random.ts'
import wordCount from '../../src/examples/word-count.ts'
import { rowsOf } from './output-folder.ts'

const WORDS = ['Stream', 'stream', 'état', 'ÉTAT', 'straße', '日本', 'don’t', '42', 'a-b', '']

function makeText(lines: number): string {
  const random = new SeededRandom(7)
  const line = () => Array.from({ length: random.int(12) }, () => WORDS[random.int(WORDS.length)])
  return Array.from({ length: lines }, () => line().join(random.int(2) === 0 ? ' ' : ', ')).join(
    '\n',
  )
}

/** How often each word stands in the text, by hand. */
function countWords(text: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const word of text.toLowerCase().split(/[^\p{L}]+/u)) {
    if (word !== '') counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  return counts
}

test.each([1, 3])('every word is counted up from 1 at parallelism %i', async parallelism => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-words-'))
  try {
    const text = makeText(2_000)
    const input = join(folder, 'text.txt')
    writeFileSync(input, text)
    const rows = await rowsOf<{ word: string; count: number }>(wordCount, {
      args: { input },
      parallelism,
    })
    const seen = new Map<string, number[]>()
    for (const { word, count } of rows) seen.set(word, [...(seen.get(word) ?? []), count])
    // One row a word and occurrence: 1, 2, 3 and so on.
    for (const counts of seen.values()) {
      counts.sort((a, b) => a - b)
      expect(counts).toEqual(counts.map((_, index) => index + 1))
    }
    const last = [...seen].map(([word, counts]): [string, number] => [word, counts.length])
    expect(new Map(last)).toEqual(countWords(text))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
