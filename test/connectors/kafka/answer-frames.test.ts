/** Answers out of a stream of bytes, wherever it is cut. */
import { expect, test } from '@jest/globals'
import { SeededRandom } from '../../../src/common/random.ts'
import { AnswerFrames } from '../../../src/connectors/kafka/answer-frames.ts'

const sizes = [4, 5, 100, 4_096, 70_000, 4, 300_000, 65_536, 65_532, 65_531, 17, 4]

function framed(answers: readonly Buffer[]): Buffer {
  return Buffer.concat(
    answers.flatMap(answer => {
      const length = Buffer.alloc(4)
      length.writeInt32BE(answer.length)
      return [length, answer]
    }),
  )
}

/** Compared as bytes: matchers look at each as a number, which takes minutes. */
function expectSame(received: readonly Buffer[], sent: readonly Buffer[]): void {
  expect(received.map(({ length }) => length)).toEqual(sent.map(({ length }) => length))
  expect(received.every((answer, index) => answer.equals(sent[index] as Buffer))).toBe(true)
}

/** Gives the bytes in pieces of these sizes at most, in turn; the answers that came of them. */
function receive(bytes: Buffer, most: () => number): readonly Buffer[] {
  const received: Buffer[] = []
  const frames = new AnswerFrames(answer => received.push(answer))
  for (let at = 0; at < bytes.length; ) {
    const count = bytes.copy(frames.room, 0, at, Math.min(bytes.length, at + most()))
    if (count === 0) throw new Error('there is no room for more')
    frames.take(count)
    at += count
  }
  return received
}

const answers = sizes.map((size, index) => Buffer.alloc(size, index + 1))

test.each([1, 2, 3, 5, 4_093, 65_536, 1 << 20])('pieces of %i bytes', most => {
  expectSame(
    receive(framed(answers), () => most),
    answers,
  )
})

test('pieces of any size', () => {
  const random = new SeededRandom(7)
  for (let round = 0; round < 50; round++) {
    const drawn = answers.filter(() => random.int(2) === 0)
    const received = receive(framed(drawn), () => 1 + random.int(90_000))
    expectSame(received, drawn)
  }
})

test('an answer stays as it is when others follow', () => {
  const received: Buffer[] = []
  const frames = new AnswerFrames(answer => received.push(answer))
  for (const fill of [1, 2]) frames.take(framed([Buffer.alloc(10, fill)]).copy(frames.room))
  expect(received).toEqual([Buffer.alloc(10, 1), Buffer.alloc(10, 2)])
})

test.each([-1, 0, 3, 0x7fff_ffff, 0x1503_0300])('a length of %i is refused', length => {
  const frames = new AnswerFrames(() => {})
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(length)
  expect(() => frames.take(bytes.copy(frames.room))).toThrow(`an answer of ${length} bytes`)
})
