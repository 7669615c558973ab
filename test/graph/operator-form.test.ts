import { expect, test } from '@jest/globals'
import {
  counting,
  cumulate,
  global,
  type Infer,
  job,
  type Key,
  record,
  session,
  sliding,
  triggers,
  tumbling,
  type WindowAssigner,
  z,
} from 'weir'
import { planJob } from '../../src/graph/build-job-graph.ts'
import { operatorsOf } from '../../src/graph/job-graph.ts'
import { type OperatorForm, operatorForm } from '../../src/graph/operator-form.ts'
import { fakeSource } from '../api/fake-parts.ts'

const Visit = record({
  page: z.string(),
  id: z.int(),
  big: z.int64(),
  kind: z.enum(['seen', 'read']),
  note: z.string().optional(),
  at: z.timestamp(),
})
type Visit = Infer<typeof Visit>

interface Windows {
  readonly assigner: WindowAssigner<unknown>
  readonly trigger?: ReturnType<typeof triggers.count>
}

function formOf(keyOf: (visit: Visit) => Key, windows?: Windows): OperatorForm {
  const graph = planJob(
    job(env => {
      const keyed = env.from(fakeSource(Visit)).uid('visits').keyBy(keyOf)
      if (windows === undefined) {
        keyed.process({ processElement() {} }).uid('op')
        return
      }
      const { assigner, trigger } = windows
      const windowed = keyed.window(assigner)
      const fired = trigger === undefined ? windowed : windowed.trigger(trigger)
      fired.aggregate(counting()).uid('op')
    }),
  )
  const operator = operatorsOf(graph).find(({ uid }) => uid === 'op')
  if (operator === undefined) throw new Error('the operator is in the graph')
  return operatorForm(operator)
}

const keys: Record<string, readonly [(visit: Visit) => Key, string | undefined]> = {
  'a field': [visit => visit.page, 'string'],
  'a number': [visit => visit.id, 'number'],
  'an expression': [visit => Math.floor(visit.at / 60_000), 'number'],
  'a bigint': [visit => visit.big, 'bigint'],
  'a boolean': [visit => visit.kind === 'seen', 'boolean'],
  'a tuple': [visit => [visit.page, visit.id] as const, '[string, number]'],
  'a field that may be absent': [visit => visit.note ?? 'none', 'string'],
  'one of two types, by the record': [
    visit => (visit.kind === 'seen' ? visit.page : visit.id),
    undefined,
  ],
  'what only a real record has': [visit => JSON.parse(visit.page).id as string, undefined],
  'nothing for a made-up record': [visit => visit.page.split('/')[3] as string, undefined],
}

test.each(Object.entries(keys))('a key that is %s', (_what, [keyOf, type]) => {
  expect(formOf(keyOf)).toEqual(type === undefined ? {} : { keys: type })
})

const windows: Record<string, readonly [Windows, string]> = {
  'tumbling windows by their size': [{ assigner: tumbling('10s') }, 'tumbling(10s)'],
  'to the millisecond': [{ assigner: tumbling(10_050) }, 'tumbling(10050ms)'],
  'with their offset': [{ assigner: tumbling('1h', { offset: '5m' }) }, 'tumbling(1h), offset 5m'],
  'sliding windows by size and slide': [
    { assigner: sliding('90s', '1500ms') },
    'sliding(90s, 1500ms)',
  ],
  'by the clock': [
    { assigner: tumbling('1d', { time: 'processing' }) },
    'tumbling(1d), processing time',
  ],
  'sessions whatever their gap: their bounds are kept': [{ assigner: session('5m') }, 'session'],
  'windows that are kept with their bounds': [{ assigner: cumulate('1d', '1h') }, 'cumulate'],
  'a trigger whatever its numbers': [
    { assigner: global(), trigger: triggers.purging(triggers.count(5)) },
    'global, trigger purging of count',
  ],
}

test.each(Object.entries(windows))('%s', (_what, [declared, form]) => {
  expect(formOf(visit => visit.page, declared)).toEqual({ keys: 'string', windows: form })
})
