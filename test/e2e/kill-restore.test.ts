/**
 * `kill -9` at random moments, then `--restore latest`, as often as it takes: the output is that of
 * an undisturbed run.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readGeneration } from '../../src/checkpoint/generation.ts'
import { parseDuration } from '../../src/common/duration.ts'
import { SeededRandom } from '../../src/common/random.ts'

const repository = resolve(import.meta.dirname, '../..')
const KILLS = 5
const folders: string[] = []

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

interface Sample {
  readonly name: string
  readonly set: readonly string[]
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
    set: ['transfers=300000', 'rate=80000'],
    // The balance after each transfer depends on the order of arrival; the sum of all does not.
    outcome: lines => {
      const entries = lines.map(line => JSON.parse(line) as Entry)
      const sum = entries.reduce((total, entry) => total + entry.amount, 0)
      return [`sum ${sum}`, ...entries.map(e => `${e.transfer} ${e.account} ${e.amount}`)].sort()
    },
  },
  {
    name: 'surge-pricing',
    set: ['rides=1500000'],
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
  readonly folder = mkdtempSync(join(tmpdir(), 'weir-kill-'))
  readonly #sample: Sample
  #child: ChildProcess | undefined
  #ended: Promise<number | null> = Promise.resolve(null)
  #said = ''
  #runs = 0

  constructor(sample: Sample) {
    folders.push(this.folder)
    this.#sample = sample
  }

  /** What the last process wrote to standard error. */
  get said(): string {
    return this.#said
  }

  start(restore: boolean): void {
    const { name, set } = this.#sample
    const manifest = join(repository, 'manifests/samples', `${name}.yaml`)
    const overrides = [
      'spec.checkpoint.interval=100ms',
      `spec.job.args.output=${join(this.folder, 'out')}`,
      ...set.map(one => `spec.job.args.${one}`),
    ].flatMap(one => ['--set', one])
    const from = restore ? ['--restore', 'latest'] : []
    this.#said = ''
    this.#child = spawn(join(repository, 'weir'), ['run', manifest, ...from, ...overrides], {
      cwd: this.folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      // A group of its own: the launcher and what it starts die together.
      detached: true,
    })
    const child = this.#child
    this.#ended = new Promise(resolve => child.on('close', code => resolve(code)))
    child.stderr?.on('data', (text: Buffer) => {
      this.#said += text.toString()
    })
  }

  /**
   * Kills the process some time after its job began to run, or, if `early`, after its start; says
   * whether it was still running.
   */
  async killAfter(delayMs: number, early: boolean): Promise<boolean> {
    let ended = false
    void this.#ended.then(() => {
      ended = true
    })
    const before = this.#runs
    while (!early && !ended && this.#countRuns() === before) await sleep(10)
    this.#runs = this.#countRuns()
    const first = await Promise.race([this.#ended, sleep(delayMs, 'alive' as const)])
    if (first !== 'alive') return false
    process.kill(-(this.#child?.pid as number), 'SIGKILL')
    await this.#ended
    return true
  }

  /** Attempts that have recorded what they go on from. */
  #countRuns(): number {
    const checkpoints = join(this.folder, '.weir/checkpoints')
    if (!existsSync(checkpoints)) return 0
    const generations = join(checkpoints, `default.${this.#sample.name}`, 'generations')
    if (!existsSync(generations)) return 0
    const records = readdirSync(generations).map(name => readFileSync(join(generations, name)))
    return records.filter(record => readGeneration(record)?.base != null).length
  }

  ended(): Promise<number | null> {
    return this.#ended
  }

  get output(): readonly string[] {
    const folder = join(this.folder, 'out')
    const files = readdirSync(folder).filter(name => !name.startsWith('.') && !name.startsWith('_'))
    return files.flatMap(name =>
      readFileSync(join(folder, name), 'utf8')
        .split('\n')
        .filter(line => line !== ''),
    )
  }
}

describe.each(samples)('$name', sample => {
  let undisturbed: readonly string[] = []
  /** From the start of its job to its end. */
  let runMs = 0

  beforeAll(async () => {
    const run = new Run(sample)
    run.start(false)
    expect({ code: await run.ended(), said: run.said }).toMatchObject({ code: 0 })
    runMs = parseDuration(/finished after (\S+):/.exec(run.said)?.[1] ?? '') ?? 1_000
    undisturbed = sample.outcome(run.output)
  }, 120_000)

  test('killed at random moments and restored, it gives the same output', async () => {
    const random = new SeededRandom(20_260)
    const run = new Run(sample)
    run.start(false)
    let kills = 0
    let restores = 0
    for (;;) {
      const early = random.int(4) === 0
      const delayMs = random.int(early ? 1_000 : Math.ceil(runMs / 2))
      if (kills < KILLS && (await run.killAfter(delayMs, early))) {
        kills++
        if (run.said.includes('restored from')) restores++
        run.start(true)
        continue
      }
      const code = await run.ended()
      // Killed before it began: there is nothing to restore yet, and that is said.
      if (!run.said.includes('WEIR_RESTORE_NOTHING')) {
        expect({ code, said: run.said }).toMatchObject({ code: 0 })
        break
      }
      run.start(false)
    }
    if (run.said.includes('restored from')) restores++
    expect(kills).toBeGreaterThan(0)
    expect(restores).toBeGreaterThan(0)
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
