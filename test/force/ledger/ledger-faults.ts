/**
 * What is done to a running ledger job, and when: at a random moment, or at a named step of its
 * two-phase commit, which shows as a request that goes over a relay. Each fault strikes once; that
 * the job recovered is for the caller to see.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../../../src/common/random.ts'
import type { HttpFault } from '../../testbed/faulty-proxy.ts'
import type { KafkaRequest } from '../../testbed/kafka-relay.ts'
import type { LedgerRun } from './ledger-run.ts'

export interface LedgerFault {
  readonly name: string
  /** In words, for the table. */
  readonly does: string
  readonly strikes: number
  /** Gives what is wrong already. */
  strike(run: LedgerRun, random: Random): Promise<readonly string[]>
}

/** `sender`: the process whose request it is. `all`: the jobmanager and every slot at once. */
type Victim = 'sender' | 'all'
/** Before the server has the request, after it did what was asked, after the client knows. */
type Moment = 'unsent' | 'unanswered' | 'answered'

interface Step {
  readonly request: KafkaRequest['name']
  readonly ends?: KafkaRequest['ends']
  readonly moment: Moment
  readonly victim?: Victim
  /** Default 8: fewer than so many of the kind may pass before one is struck. */
  readonly passed?: number
}

const PASSED = 8
const STEP_LIMIT_MS = 20_000

const steps: Readonly<Record<string, readonly [does: string, step: Step]>> = {
  'begin-unsent': [
    'killed before a transaction begins',
    { request: 'InitProducerId', moment: 'unsent' },
  ],
  'begin-unanswered': [
    'killed when a transaction has begun',
    { request: 'AddPartitionsToTxn', moment: 'unanswered' },
  ],
  'before-flush': ['killed before records are flushed', { request: 'Produce', moment: 'unsent' }],
  'in-flush': [
    'killed in the flush: the broker has the records, and nobody knows',
    { request: 'Produce', moment: 'unanswered' },
  ],
  'before-commit': [
    'killed after the checkpoint completed, before the commit',
    { request: 'EndTxn', ends: 'commit', moment: 'unsent' },
  ],
  'before-commit-all': [
    'all killed after the checkpoint completed, before the commit',
    { request: 'EndTxn', ends: 'commit', moment: 'unsent', victim: 'all' },
  ],
  'in-commit': [
    'killed in the commit: the broker has committed, and nobody knows',
    { request: 'EndTxn', ends: 'commit', moment: 'unanswered' },
  ],
  'in-commit-all': [
    'all killed in the commit',
    { request: 'EndTxn', ends: 'commit', moment: 'unanswered', victim: 'all' },
  ],
  'after-commit': [
    'killed after the commit, before it is recorded',
    { request: 'EndTxn', ends: 'commit', moment: 'answered' },
  ],
}

interface Write {
  readonly path: RegExp
  readonly moment: Exclude<Moment, 'answered'>
  readonly victim: Victim
}

const STATE = /\/chk-\d+\/(?!_metadata)/
const METADATA = /\/chk-\d+\/_metadata/

const writes: Readonly<Record<string, readonly [does: string, write: Write]>> = {
  'before-state': [
    'killed after the flush, before its state is stored',
    { path: STATE, moment: 'unsent', victim: 'sender' },
  ],
  'before-ack': [
    'killed after its state is stored, before it acknowledges',
    { path: STATE, moment: 'unanswered', victim: 'sender' },
  ],
  'before-completion': [
    'jobmanager killed when all have acknowledged',
    { path: METADATA, moment: 'unsent', victim: 'sender' },
  ],
  'after-completion': [
    'jobmanager killed when the checkpoint is complete, and nobody knows',
    { path: METADATA, moment: 'unanswered', victim: 'sender' },
  ],
  'after-completion-all': [
    'all killed when the checkpoint is complete',
    { path: METADATA, moment: 'unanswered', victim: 'all' },
  ],
}

export const ledgerFaults: readonly LedgerFault[] = [
  ...Object.entries(steps).map(([name, [does, step]]) => stepFault(name, does, step)),
  ...Object.entries(writes).map(([name, [does, write]]) => writeFault(name, does, write)),
  {
    name: 'in-recovery',
    does: 'killed, and killed again while what was left open is aborted',
    strikes: 2,
    strike: async (run, random) => {
      killOne(run, 'taskmanager', random)
      return killAtStep(run, random, {
        request: 'ListTransactions',
        moment: random.int(2) === 0 ? 'unsent' : 'answered',
        // Each of the four writers asks once.
        passed: 3,
      })
    },
  },
  {
    name: 'kill-slot',
    does: 'SIGKILL of a taskmanager at any moment',
    strikes: 3,
    strike: async (run, random) => killOne(run, 'taskmanager', random),
  },
  {
    name: 'kill-jobmanager',
    does: 'SIGKILL of the jobmanager at any moment',
    strikes: 2,
    strike: async (run, random) => killOne(run, 'jobmanager', random),
  },
  {
    name: 'kill-run',
    does: 'SIGKILL of everything, and a start from the last checkpoint',
    strikes: 2,
    strike: async run => {
      await run.job.kill()
      run.start('latest')
      return []
    },
  },
  {
    name: 'stale-jobmanager',
    does: 'jobmanager stopped as it completes a checkpoint, woken after another run took over',
    strikes: 1,
    strike: staleJobmanager,
  },
  {
    name: 'stale-run',
    does: 'all stopped in a commit, woken after another run took over',
    strikes: 1,
    strike: staleRun,
  },
  {
    name: 'broker-killed',
    does: 'the broker is killed and starts again',
    strikes: 1,
    strike: async run => {
      await run.parts.broker.restart('SIGKILL')
      return []
    },
  },
  {
    name: 'cut',
    does: 'all connections to the broker end, several times',
    strikes: 2,
    strike: async (run, random) => {
      for (let i = 0; i < 5; i++) {
        run.kafka.cut()
        await pause(random.int(400))
      }
      return []
    },
  },
  {
    name: 'answers-lost',
    does: 'answers of the broker are lost, of any request',
    strikes: 2,
    strike: loseAnswers,
  },
  {
    name: 'store-down',
    does: 'the S3 server refuses all until a checkpoint failed for it',
    strikes: 1,
    strike: storeDown,
  },
  {
    name: 'store-shaky',
    does: 'every fourth request to S3 fails, is slow, or loses its answer',
    strikes: 2,
    strike: storeShaky,
  },
]

function stepFault(name: string, does: string, step: Step): LedgerFault {
  return { name, does, strikes: 3, strike: (run, random) => killAtStep(run, random, step) }
}

function writeFault(name: string, does: string, write: Write): LedgerFault {
  return { name, does, strikes: 3, strike: (run, random) => killAtWrite(run, random, write) }
}

function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function killOne(
  run: LedgerRun,
  kind: 'taskmanager' | 'jobmanager',
  random: Random,
): readonly string[] {
  const all = run.job.processes(kind)
  const one = all[random.int(Math.max(1, all.length))]
  if (one === undefined) return [`no ${kind} runs`]
  kill(one.pid)
  return []
}

function strikeDown(run: LedgerRun, port: number, victim: Victim = 'sender'): void {
  const sender = run.ownerOf(port)
  const all = run.job.processes().map(({ pid }) => pid)
  for (const pid of victim === 'all' ? all : [sender ?? all.at(-1)]) {
    if (pid !== undefined) kill(pid)
  }
}

/** Kills somebody when a request of the job comes to a step. */
async function killAtStep(
  run: LedgerRun,
  random: Random,
  { request, ends, moment, victim, passed = PASSED }: Step,
): Promise<readonly string[]> {
  let passing = random.int(passed)
  let struck: KafkaRequest | undefined
  const reached = new Promise<void>(resolve => {
    run.kafka.hooks = {
      request: seen => {
        const isIt = seen.name === request && (ends === undefined || seen.ends === ends)
        if (!isIt || struck !== undefined || passing-- > 0) return undefined
        struck = seen
        if (moment !== 'unsent') return moment === 'unanswered' ? 'unanswered' : undefined
        strikeDown(run, seen.port, victim)
        resolve()
        return 'lost'
      },
      answered: seen => {
        if (seen !== struck) return
        strikeDown(run, seen.port, victim)
        resolve()
      },
    }
  })
  const isReached = await within(STEP_LIMIT_MS, reached)
  run.kafka.hooks = {}
  return isReached ? [] : [`no ${request} came`]
}

async function killAtWrite(
  run: LedgerRun,
  random: Random,
  { path, moment, victim }: Write,
): Promise<readonly string[]> {
  let passing = random.int(PASSED)
  let struck: number | undefined
  const reached = new Promise<void>(resolve => {
    run.s3.fault = seen => {
      const isIt = seen.method === 'PUT' && path.test(seen.path)
      if (!isIt || struck !== undefined || passing-- > 0) return undefined
      struck = seen.number
      if (moment === 'unanswered') return 'lost'
      strikeDown(run, seen.port, victim)
      resolve()
      return 'unseen'
    }
    run.s3.answered = seen => {
      if (seen.number !== struck) return
      strikeDown(run, seen.port, victim)
      resolve()
    }
  })
  const isReached = await within(STEP_LIMIT_MS, reached)
  run.s3.fault = () => undefined
  run.s3.answered = () => {}
  return isReached ? [] : [`nothing was written to ${path}`]
}

/** What it completes after its successor began counts for nothing, and it ends by itself. */
async function staleJobmanager(run: LedgerRun, random: Random): Promise<readonly string[]> {
  // The command as well: it would replace one that stands still.
  const pids = [run.job.pid, ...run.job.processes('jobmanager').map(({ pid }) => pid)]
  const held = holding()
  let passing = random.int(PASSED)
  run.s3.fault = async seen => {
    if (held.isReached || !METADATA.test(seen.path) || seen.method !== 'PUT') return undefined
    if (passing-- > 0) return undefined
    for (const pid of pids) kill(pid, 'SIGSTOP')
    await held.reach()
    return undefined
  }
  if (!(await within(STEP_LIMIT_MS, held.reached))) return ['no checkpoint was completed']
  return succeed(run, () => {
    held.release()
    for (const pid of pids) kill(pid, 'SIGCONT')
  })
}

async function staleRun(run: LedgerRun, random: Random): Promise<readonly string[]> {
  const pids = [run.job.pid, ...run.job.processes().map(({ pid }) => pid)]
  const held = holding()
  let passing = random.int(PASSED)
  run.kafka.hooks = {
    request: async seen => {
      if (held.isReached || seen.ends !== 'commit' || passing-- > 0) return undefined
      for (const pid of pids) kill(pid, 'SIGSTOP')
      await held.reach()
      return undefined
    },
  }
  if (!(await within(STEP_LIMIT_MS, held.reached))) return ['nothing was committed']
  return succeed(run, () => {
    held.release()
    for (const pid of pids) kill(pid, 'SIGCONT')
  })
}

/** Another run takes over; then the first one wakes up, and must end. */
async function succeed(run: LedgerRun, wake: () => void): Promise<readonly string[]> {
  const first = run.job
  const second = run.start('latest')
  if (!(await second.untilCheckpoints(2))) return [`the successor ended: ${second.said}`]
  wake()
  const { code, err } = await first.ended
  if (code !== 0 && err.includes('WEIR_JOB_FENCED')) return []
  return [`the first run ended with ${code}, although it has a successor: ${err}`]
}

interface Held {
  readonly isReached: boolean
  readonly reached: Promise<void>
  /** Resolves with `release`. */
  reach(): Promise<void>
  release(): void
}

/** A place where something stands still until it is let go. */
function holding(): Held {
  const arrival = Promise.withResolvers<void>()
  const departure = Promise.withResolvers<void>()
  let isReached = false
  return {
    get isReached() {
      return isReached
    },
    reached: arrival.promise,
    reach: () => {
      isReached = true
      arrival.resolve()
      return departure.promise
    },
    release: departure.resolve,
  }
}

async function loseAnswers(run: LedgerRun, random: Random): Promise<readonly string[]> {
  const kinds = new Set(['InitProducerId', 'AddPartitionsToTxn', 'Produce', 'EndTxn', 'Fetch'])
  run.kafka.hooks = {
    request: ({ name }) => (kinds.has(name) && random.int(6) === 0 ? 'unanswered' : undefined),
  }
  await pause(1_500)
  run.kafka.hooks = {}
  return []
}

async function storeDown(run: LedgerRun, random: Random): Promise<readonly string[]> {
  const fault: HttpFault = random.int(2) === 0 ? '500' : '503'
  const before = await run.job.figures()
  run.s3.fault = () => fault
  const failed = await run.job.until(
    now => now.checkpointsFailed > (before?.checkpointsFailed ?? 0),
  )
  const list = await run.job.call('GET', '/checkpoints')
  run.s3.fault = () => undefined
  const wrong: string[] = []
  if (!failed) wrong.push(`the job ended: ${run.job.said}`)
  const told = JSON.stringify(list)
  const reason = fault === '500' ? '500 InternalError' : '503 SlowDown'
  if (!told.includes(reason)) wrong.push(`no word of ${reason} in ${told}`)
  const after = await run.job.figures()
  if (after?.restarts !== before?.restarts) wrong.push('the job was started again for it')
  return wrong
}

async function storeShaky(run: LedgerRun, random: Random): Promise<readonly string[]> {
  const faults: readonly HttpFault[] = ['500', '503', 'lost', 'late-500', 'torn', 'slow']
  run.s3.fault = () => (random.int(4) === 0 ? faults[random.int(faults.length)] : undefined)
  await pause(2_500)
  run.s3.fault = () => undefined
  return []
}

async function within(limitMs: number, event: Promise<void>): Promise<boolean> {
  const limit = new AbortController()
  const late = pause(limitMs, false, { signal: limit.signal }).catch(() => false)
  const isThere = await Promise.race([event.then(() => true), late])
  limit.abort()
  return isThere
}
