/**
 * `kill -9` at random moments, then `--restore latest`, as often as it takes: the output is that of
 * an undisturbed run.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readGeneration } from '../../src/checkpoint/generation.ts'
import { parseDuration } from '../../src/common/duration.ts'
import { SeededRandom } from '../../src/common/random.ts'
import {
  readLines,
  ScratchFolders,
  sampleManifest,
  setAll,
  type WeirEnd,
  WeirProcess,
} from './weir-process.ts'

const KILLS = 5
/** By then some checkpoint has completed. */
const SOON_MS = 400
const folders = new ScratchFolders()

afterAll(() => folders.remove())

interface Sample {
  readonly name: string
  readonly args: Readonly<Record<string, number>>
  /** What must be equal after all; without what depends on the order of arrival. */
  readonly outcome: (lines: readonly string[]) => readonly string[]
}

interface Entry {
  readonly account: number
  readonly transfer: number
  readonly amount: number
}

const samples: readonly Sample[] = [
  {
    name: 'bank-transfers',
    args: { 'job.args.transfers': 300_000, 'job.args.rate': 80_000 },
    // The balance after each transfer depends on the order of arrival; the sum of all does not.
    outcome: lines => {
      const entries = lines.map(line => JSON.parse(line) as Entry)
      const sum = entries.reduce((total, entry) => total + entry.amount, 0)
      return [`sum ${sum}`, ...entries.map(e => `${e.transfer} ${e.account} ${e.amount}`)].sort()
    },
  },
  {
    name: 'surge-pricing',
    args: { 'job.args.rides': 1_500_000 },
    // So do the last digits of a sum of fractions.
    outcome: lines =>
      lines
        .map(line => {
          const { averageWaitSeconds, ...rest } = JSON.parse(line) as Surge
          return JSON.stringify({ ...rest, wait: averageWaitSeconds.toFixed(3) })
        })
        .sort(),
  },
]

interface Surge {
  readonly averageWaitSeconds: number
}

/** Runs in a folder of its own, so that `.weir` and the output are the run's own. */
class Run {
  readonly #folder = folders.make()
  readonly #sample: Sample
  #process: WeirProcess
  #runs = 0

  constructor(sample: Sample) {
    this.#sample = sample
    this.#process = this.#start([])
  }

  /** What the last process wrote to standard error. */
  get said(): string {
    return this.#process.err
  }

  get ended(): Promise<WeirEnd> {
    return this.#process.ended
  }

  restart(restore: boolean): void {
    this.#process = this.#start(restore ? ['--restore', 'latest'] : [])
  }

  /**
   * Kills the process some time after its job began to run, or, if `early`, after its start; says
   * whether it was still running.
   */
  async killAfter(delayMs: number, early: boolean): Promise<boolean> {
    const before = this.#runs
    if (!early) await this.#process.runsUntil(() => this.#countRuns() > before)
    this.#runs = this.#countRuns()
    const first = await Promise.race([this.ended, sleep(delayMs, 'alive' as const)])
    if (first !== 'alive') return false
    await this.#process.kill()
    return true
  }

  get output(): readonly string[] {
    return readLines(join(this.#folder, 'out'))
  }

  #start(from: readonly string[]): WeirProcess {
    const { name, args } = this.#sample
    const fields = {
      'checkpoint.interval': '100ms',
      'job.args.output': join(this.#folder, 'out'),
      ...args,
    }
    const command = ['run', sampleManifest(name), ...from, ...setAll(fields)]
    return new WeirProcess(command, this.#folder)
  }

  /** Attempts that have recorded what they go on from. */
  #countRuns(): number {
    const checkpoints = join(this.#folder, '.weir/checkpoints')
    const generations = join(checkpoints, `default.${this.#sample.name}`, 'generations')
    if (!existsSync(generations)) return 0
    const records = readdirSync(generations).map(name => readFileSync(join(generations, name)))
    return records.filter(record => readGeneration(record)?.base != null).length
  }
}

describe.each(samples)('$name', sample => {
  let undisturbed: readonly string[] = []
  /** From the start of its job to its end. */
  let runMs = 0

  beforeAll(async () => {
    const run = new Run(sample)
    expect(await run.ended).toMatchObject({ code: 0 })
    runMs = parseDuration(/finished after (\S+):/.exec(run.said)?.[1] ?? '') ?? 1_000
    undisturbed = sample.outcome(run.output)
  }, 120_000)

  test('killed at random moments and restored, it gives the same output', async () => {
    const random = new SeededRandom(20_260)
    let run = new Run(sample)
    let limitMs = Math.ceil(runMs / 2)
    let kills = 0
    let restores = 0
    for (;;) {
      const early = random.int(4) === 0
      const delayMs = random.int(early ? 1_000 : limitMs)
      if (kills < KILLS && (await run.killAfter(delayMs, early))) {
        kills++
        if (run.said.includes('restored from')) restores++
        run.restart(true)
        continue
      }
      const end = await run.ended
      // Killed before it began: there is nothing to restore yet, and that is said.
      if (run.said.includes('WEIR_RESTORE_NOTHING')) {
        run.restart(false)
        continue
      }
      expect(end).toMatchObject({ code: 0 })
      if (run.said.includes('restored from')) restores++
      if (restores > 0) break
      // The machine is faster than it was: over before anything struck in its middle.
      run = new Run(sample)
      kills = 0
      limitMs = Math.max(SOON_MS, Math.ceil(limitMs / 2))
    }
    expect(firstDifferences(sample.outcome(run.output), undisturbed)).toEqual([])
  }, 240_000)
})

/** Sorted lists line by line: a diff of all lines would help nobody. */
function firstDifferences(found: readonly string[], wanted: readonly string[]): readonly string[] {
  const differences: string[] = []
  if (found.length !== wanted.length) {
    differences.push(`${found.length} lines instead of ${wanted.length}`)
  }
  for (let i = 0; i < wanted.length && differences.length < 5; i++) {
    if (found[i] !== wanted[i]) differences.push(`${found[i]} instead of ${wanted[i]}`)
  }
  return differences
}
