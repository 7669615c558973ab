/**
 * Carries what a child prints to the terminal, in whole lines: several print at once.
 *
 * A child that prints more than the terminal takes has to wait, as it would if it were alone.
 */
import type { Readable } from 'node:stream'
import type { Terminal } from '../cli-io.ts'

/** A line without end must not be held for ever. */
const LINE_LENGTH_MAX = 1_048_576

export function forwardLines(from: Readable, to: Terminal): void {
  let held = ''
  const write = (text: string): void => {
    to.write(text)
    const free = to.flushed?.()
    if (free === undefined) return
    from.pause()
    void free.then(() => from.resume())
  }
  from.setEncoding('utf8')
  from.on('data', (chunk: string) => {
    const end = chunk.lastIndexOf('\n') + 1
    if (end === 0 && held.length < LINE_LENGTH_MAX) {
      held += chunk
      return
    }
    const cut = end === 0 ? chunk.length : end
    write(`${held}${chunk.slice(0, cut)}`)
    held = chunk.slice(cut)
  })
  from.on('end', () => {
    // The rest of a line of one that was killed: what follows it must begin a new one.
    if (held !== '') write(`${held}\n`)
  })
}
