/** Time stands still; answers come when the test says so. */
import { expect, test } from '@jest/globals'
import { SeededRandom } from '../../../src/common/random.ts'
import { FactsPoller } from '../../../src/controller/link/facts-poller.ts'
import type { JobTarget } from '../../../src/controller/link/job-link.ts'
import { linkErrors } from '../../../src/controller/link/link-errors.ts'
import type { JobFacts } from '../../../src/protocol/job-facts.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { runningFacts } from '../fake-link.ts'

const target = (name: string, more: Partial<JobTarget> = {}): JobTarget => ({
  namespace: 'a',
  name,
  uid: name,
  epoch: 1,
  podIp: '10.0.0.1',
  ...more,
})

interface Question {
  readonly target: JobTarget
  readonly answer: (facts: JobFacts) => Promise<void>
  readonly fail: (why: string | Error) => Promise<void>
}

function setUp() {
  const clock = new ManualClock()
  const open: Question[] = []
  const heard: string[] = []
  const settled = () => new Promise<void>(resolve => void setImmediate(resolve))
  const poller = new FactsPoller({
    clock,
    random: new SeededRandom(1),
    onHeard: key => void heard.push(key),
    link: {
      facts: asked =>
        new Promise((resolve, reject) => {
          const end = (act: () => void) => {
            open.splice(open.indexOf(question), 1)
            act()
            return settled()
          }
          const question: Question = {
            target: asked,
            answer: facts => end(() => resolve(facts)),
            fail: why => end(() => reject(typeof why === 'string' ? new Error(why) : why)),
          }
          open.push(question)
        }),
    },
  })
  return { clock, open, heard, poller }
}

test('a job is asked at once, then often or seldom, once at a time (P1)', async () => {
  const { clock, open, heard, poller } = setUp()
  const job = target('j')
  poller.want('a/j', job, 'often')
  poller.want('a/j', job, 'often')
  expect(open).toHaveLength(1)
  expect(poller.heard('a/j', job)).toEqual({ facts: undefined, silence: undefined })
  clock.advance(60_000)
  expect(open).toHaveLength(1)
  await open[0]?.answer(runningFacts)
  expect(heard).toEqual(['a/j'])
  expect(poller.heard('a/j', job).facts).toBe(runningFacts)
  clock.advance(1_200)
  await open[0]?.answer(runningFacts)
  poller.want('a/j', job, 'seldom')
  clock.advance(7_900)
  expect(open).toHaveLength(0)
  clock.advance(4_100)
  expect(open).toHaveLength(1)
})

test('one that a job waits for is asked several times a second, unless it is silent for long', async () => {
  const { clock, open, poller } = setUp()
  poller.want('a/j', target('j'), 'soon')
  await open[0]?.answer(runningFacts)
  clock.advance(240)
  await open[0]?.fail('nobody is there')
  clock.advance(240)
  await open[0]?.fail('nobody is there')
  clock.advance(60_000)
  await open[0]?.fail('nobody is there')
  clock.advance(7_900)
  expect(open).toHaveLength(0)
})

test('one that does not answer is asked often, and its last words are kept', async () => {
  const { clock, open, poller } = setUp()
  const job = target('j')
  poller.want('a/j', job, 'seldom')
  await open[0]?.answer(runningFacts)
  clock.advance(12_000)
  await open[0]?.fail('nobody is there')
  expect(poller.silent).toBe(1)
  clock.advance(1_200)
  await open[0]?.fail('still nobody')
  expect(poller.heard('a/j', job)).toEqual({
    facts: runningFacts,
    silence: { ms: 1_200, why: 'still nobody' },
  })
  clock.advance(1_200)
  const reason = 'no answer in 5000 ms'
  await open[0]?.fail(linkErrors.WEIR_LINK_UNREACHABLE({ job: 'a/j', address: 'x', reason }))
  expect(poller.heard('a/j', job).silence?.why).toMatch(/^WEIR_LINK_UNREACHABLE no answer/)
  clock.advance(1_200)
  await open[0]?.answer(runningFacts)
  expect(poller.heard('a/j', job).silence).toBeUndefined()
})

test('one that is silent for long is asked seldom, and after an answer as before', async () => {
  const { clock, open, heard, poller } = setUp()
  poller.want('a/j', target('j'), 'often')
  let questions = 0
  const pass = async (seconds: number, answer: boolean) => {
    questions = 0
    for (let second = 0; second < seconds; second++) {
      for (let one = open[0]; one !== undefined; one = open[0]) {
        questions++
        await (answer ? one.answer(runningFacts) : one.fail('nobody is there'))
      }
      clock.advance(1_200)
    }
  }
  await pass(60, false)
  expect(questions).toBeGreaterThan(40)
  await pass(100, false)
  expect(questions).toBeGreaterThanOrEqual(9)
  expect(questions).toBeLessThanOrEqual(16)
  // That it still is silent for the same reason is no news; another reason is.
  const told = heard.length
  await pass(20, false)
  expect(heard).toHaveLength(told)
  while (open.length === 0) clock.advance(1_200)
  await open[0]?.fail('it is somebody else')
  expect(heard).toHaveLength(told + 1)
  await pass(20, true)
  await pass(60, true)
  expect(questions).toBeGreaterThan(40)
})

test('P2: what a replaced jobmanager says late is dropped, and the new one is asked', async () => {
  const { open, heard, poller } = setUp()
  const old = target('j')
  const next = target('j', { podIp: '10.0.0.2' })
  poller.want('a/j', old, 'often')
  poller.want('a/j', next, 'often')
  expect(open.map(one => one.target)).toEqual([old])
  await open[0]?.answer(runningFacts)
  expect(heard).toEqual([])
  expect(poller.heard('a/j', next).facts).toBeUndefined()
  expect(open.map(one => one.target)).toEqual([next])
  // One that is gone is asked no more.
  poller.want('a/j', undefined, 'often')
  await open[0]?.answer(runningFacts)
  expect([poller.size, heard.length, open.length]).toEqual([0, 0, 0])
})

test('P1: sixteen at once, the others as these are answered', async () => {
  const { open, poller } = setUp()
  for (let n = 0; n < 20; n++) poller.want(`a/${n}`, target(String(n)), 'often')
  expect(open).toHaveLength(16)
  await open[0]?.answer(runningFacts)
  expect(open).toHaveLength(16)
  expect(open.at(-1)?.target.name).toBe('16')
  poller.stop()
})

test.each([
  ['often', 25],
  ['seldom', 13],
] as const)('P3: the more jobs, the seldomer each is asked: %s', async (pace, perSecond) => {
  const { clock, open, poller } = setUp()
  const asked = new Map<string, number>()
  const answerAll = async () => {
    for (let one = open[0]; one !== undefined; one = open[0]) {
      asked.set(one.target.name, (asked.get(one.target.name) ?? 0) + 1)
      await one.answer(runningFacts)
    }
  }
  for (let n = 0; n < 400; n++) poller.want(`a/${n}`, target(String(n)), pace)
  await answerAll()
  asked.clear()
  for (let second = 0; second < 60; second++) {
    clock.advance(1_000)
    await answerAll()
  }
  const total = [...asked.values()].reduce((sum, count) => sum + count, 0)
  expect(asked.size).toBe(400)
  expect(total).toBeLessThanOrEqual(60 * perSecond)
  poller.stop()
  clock.advance(60_000)
  expect(open).toHaveLength(0)
})

test('jobs that are well and due within a second are asked together', async () => {
  const { clock, open, poller } = setUp()
  const answerAll = async () => {
    let asked = 0
    for (let one = open[0]; one !== undefined; one = open[0]) {
      asked++
      await one.answer(runningFacts)
    }
    return asked
  }
  for (let n = 0; n < 30; n++) poller.want(`a/${n}`, target(String(n)), 'seldom')
  await answerAll()
  const moments: number[] = []
  for (let step = 0; step < 130; step++) {
    clock.advance(100)
    const asked = await answerAll()
    if (asked > 0) moments.push(asked)
  }
  expect(moments.reduce((sum, one) => sum + one, 0)).toBeGreaterThanOrEqual(30)
  // From eight to twelve seconds after their answers, and none of them in between.
  expect(moments.length).toBeLessThanOrEqual(6)
  poller.stop()
})
