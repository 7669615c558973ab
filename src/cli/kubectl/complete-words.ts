/** Completion of `kubectl weir`: kubectl asks `kubectl_complete-weir` with the words so far. */
import { type CliIo, exitCodes } from '../cli-io.ts'
import { Kubectl } from './kubectl.ts'

export interface CompletedVerb {
  readonly name: string
  readonly takes: 'job' | 'file' | 'nothing'
  readonly flags: readonly string[]
}

/** What the shell is to do after the proposals, in the numbers of cobra. */
const NO_FILES = 4
const FILES = 0

/** The last word is the one that is being written. */
export async function completeWords(
  words: readonly string[],
  verbs: readonly CompletedVerb[],
  io: CliIo,
): Promise<number> {
  const [first = '', ...others] = words
  const current = words.at(-1) ?? ''
  const verb = words.length > 1 ? verbs.find(one => one.name === first) : undefined
  const propose = (found: readonly string[], after = NO_FILES): number => {
    const fitting = found.filter(one => one.startsWith(current))
    io.out.write(`${[...fitting, `:${after}`].join('\n')}\n`)
    return exitCodes.ok
  }
  if (words.length < 2) return propose(verbs.map(one => one.name))
  if (verb === undefined) return propose([])
  if (current.startsWith('-')) return propose(verb.flags)
  if (verb.takes !== 'job') return propose([], verb.takes === 'file' ? FILES : NO_FILES)
  const at = others.findIndex(word => word === '-n' || word === '--namespace')
  const namespace = at < 0 ? undefined : others[at + 1]
  const kubectl = new Kubectl({ namespace }, io)
  const { out } = await kubectl.ask(['get', 'streamjobs', '--output', 'name'])
  return propose(out.split('\n').flatMap(line => line.split('/')[1] ?? []))
}
