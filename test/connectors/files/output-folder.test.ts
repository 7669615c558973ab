import { expect, test } from '@jest/globals'
import {
  decideStart,
  type OutputPart,
  type StartDecision,
  type WriterStart,
} from '../../../src/connectors/files/output-folder.ts'
import { parsePartName, partName } from '../../../src/connectors/files/part-name.ts'

const naming = { prefix: 'part', suffix: '.jsonl' }
const first: WriterStart = {
  naming,
  onExisting: 'fail',
  subtaskIndex: 0,
  parallelism: 1,
  attempt: 0,
  restoredCheckpointId: undefined,
  runs: [],
  derivedRun: (checkpointId, subtask) => `0000${checkpointId}00${subtask}`,
}
const part = (file: string): OutputPart => {
  const found = parsePartName(naming, file)
  if (found === undefined) throw new Error(`${file} is no part`)
  return { ...found, file }
}
const hidden = (name: string): string => `.${name}.inprogress`

interface Case {
  readonly given: Partial<WriterStart>
  readonly parts: readonly string[]
  readonly expect: StartDecision
}

const none: StartDecision = { kind: 'start', remove: [] }
const removing = (...remove: readonly string[]): StartDecision => ({ kind: 'start', remove })

const cases: Record<string, Case> = {
  'a first run starts in an empty folder': { given: {}, parts: [], expect: none },
  'a first run refuses finished parts': {
    given: {},
    parts: [hidden('part-0-0-0.jsonl'), 'part-0-0-1.jsonl'],
    expect: { kind: 'refuse', file: 'part-0-0-1.jsonl' },
  },
  'a first run removes what was never finished': {
    given: {},
    parts: [hidden('part-0-0-0.jsonl')],
    expect: removing(hidden('part-0-0-0.jsonl')),
  },
  'replace removes all parts': {
    given: { onExisting: 'replace' },
    parts: ['part-0-0-0.jsonl', 'part-3-7-2.jsonl'],
    expect: removing('part-0-0-0.jsonl', 'part-3-7-2.jsonl'),
  },
  'append keeps all parts': {
    given: { onExisting: 'append' },
    parts: ['part-0-0-0.jsonl', hidden('part-0-0-1.jsonl')],
    expect: none,
  },
  'a restored run keeps the parts of its checkpoint and removes the later ones': {
    given: { restoredCheckpointId: 4 },
    parts: ['part-0-0-0.jsonl', hidden('part-0-4-1.jsonl'), 'part-0-5-2.jsonl'],
    expect: removing('part-0-5-2.jsonl'),
  },
  'a restart before the first checkpoint removes what it finds': {
    given: { attempt: 1 },
    parts: [hidden('part-0-0-0.jsonl'), 'part-0-0-1.jsonl'],
    expect: removing(hidden('part-0-0-0.jsonl'), 'part-0-0-1.jsonl'),
  },
  'each writer removes its own parts, and those of writers that are no more': {
    given: { restoredCheckpointId: 1, subtaskIndex: 1, parallelism: 2 },
    parts: ['part-0-2-0.jsonl', 'part-1-2-0.jsonl', 'part-2-2-0.jsonl', 'part-3-2-0.jsonl'],
    expect: removing('part-1-2-0.jsonl', 'part-3-2-0.jsonl'),
  },
  'a restored run that appends removes only what its own run wrote later': {
    given: { onExisting: 'append', restoredCheckpointId: 1, runs: ['aaaaaaaa'] },
    parts: ['part-aaaaaaaa-0-1-0.jsonl', 'part-aaaaaaaa-0-2-1.jsonl', 'part-bbbbbbbb-0-2-0.jsonl'],
    expect: removing('part-aaaaaaaa-0-2-1.jsonl'),
  },
  'a restored run that appends removes what an undone rescale wrote': {
    given: { onExisting: 'append', restoredCheckpointId: 1, runs: ['aaaaaaaa'] },
    parts: ['part-00002003-3-4-0.jsonl', 'part-00002004-3-4-0.jsonl'],
    expect: removing('part-00002003-3-4-0.jsonl'),
  },
}

test.each(Object.entries(cases))('%s', (_sentence, c) => {
  expect(decideStart({ ...first, ...c.given }, c.parts.map(part))).toEqual(c.expect)
})

test('names of parts are told from names of other files', () => {
  const id = { run: '0123abcd', subtask: 3, epoch: 14, counter: 159 }
  expect(parsePartName(naming, partName(naming, id))).toEqual({ ...id, inProgress: false })
  const others = ['part-0-0.jsonl', 'part-0-0-0.csv', 'other-0-0-0.jsonl', 'part-a-0-0.jsonl', '']
  for (const name of others) expect(parsePartName(naming, name)).toBeUndefined()
})
