/**
 * A job over five processes, whichever of them is killed or stands still, whenever, and however
 * often: its output is that of an undisturbed run, and no checkpoint makes or loses money.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from '@jest/globals'
import { SeededRandom, SystemRandom } from '../../src/common/random.ts'
import { OPENING_BALANCE } from '../../src/examples/bank-transfers.ts'
import { LocalFolderStore } from '../../src/storage/local-folder-store.ts'
import { checkpointsIn, standingsIn } from '../examples/bank-audit.ts'
import { childrenOf, isAlive } from './weir-children.ts'
import {
  readLines,
  ScratchFolders,
  sampleManifest,
  setAll,
  WeirProcess,
  weir,
} from './weir-process.ts'

const PARALLELISM = 4
const ACCOUNTS = 1_000
const folders = new ScratchFolders()

afterAll(() => folders.remove())

interface Entry {
  readonly account: number
  readonly transfer: number
  readonly amount: number
}

class Bank {
  readonly folder = folders.make()
  readonly process: WeirProcess

  constructor(args: Readonly<Record<string, string | number>>) {
    const fields = {
      'checkpoint.interval': '200ms',
      'job.args.output': join(this.folder, 'out'),
      ...args,
    }
    const command = ['run', sampleManifest('bank-transfers'), '-p', String(PARALLELISM)]
    this.process = new WeirProcess([...command, ...setAll(fields)], this.folder)
  }

  /** Whether a checkpoint has completed. */
  get hasCheckpoint(): boolean {
    const folder = join(this.folder, '.weir/checkpoints/default.bank-transfers')
    if (!existsSync(folder)) return false
    const found = readdirSync(folder).filter(name => name.startsWith('chk-'))
    return found.some(name => existsSync(join(folder, name, '_metadata')))
  }

  /** Each entry once, in an order that does not depend on who was faster. */
  get entries(): readonly string[] {
    return readLines(join(this.folder, 'out'))
      .map(line => {
        const { transfer, account, amount } = JSON.parse(line) as Entry
        return `${transfer} ${account} ${amount}`
      })
      .sort()
  }
}

/** A moment's work of a hostile world. */
async function disturb(bank: Bank, random: SeededRandom): Promise<void> {
  const children = childrenOf(bank.process.pid)
  const victim = children[random.int(Math.max(1, children.length))]
  if (victim === undefined) return
  const standsStill = random.int(4) === 0
  try {
    process.kill(victim.pid, standsStill ? 'SIGSTOP' : 'SIGKILL')
    if (!standsStill) return
    // Sometimes it wakes up before anybody misses it, sometimes it is gone by then.
    await sleep(random.int(3_000))
    process.kill(victim.pid, 'SIGCONT')
  } catch {
    // It had just ended.
  }
}

describe('bank-transfers over one jobmanager and four taskmanagers', () => {
  test('killed and stopped at random, it gives the output of an undisturbed run', async () => {
    const size = { 'job.args.transfers': 150_000 }
    const undisturbed = new Bank(size)
    expect(await undisturbed.process.ended).toMatchObject({ code: 0 })
    const random = new SeededRandom(Number(process.env.WEIR_TEST_SEED ?? 7))
    const bank = new Bank({ ...size, 'job.args.rate': 25_000 })
    await bank.process.runsUntil(() => bank.hasCheckpoint)
    for (let round = 0; round < 8 && bank.process.isRunning; round++) {
      await disturb(bank, random)
      await sleep(random.int(1_200))
    }
    const end = await bank.process.ended
    expect(end).toMatchObject({ code: 0 })
    expect(end.err).toMatch(/was ended by SIGKILL: it is started again/)
    const { entries } = bank
    expect(entries).toHaveLength(300_000)
    expect(entries).toEqual(undisturbed.entries)
    const location = join(bank.folder, '.weir/checkpoints')
    const store = new LocalFolderStore({ folder: location, random: new SystemRandom() })
    const checkpoints = await checkpointsIn(store)
    expect(checkpoints.length).toBeGreaterThan(0)
    for (const checkpoint of checkpoints) {
      const standings = await standingsIn(store, checkpoint, ACCOUNTS)
      const money = standings.reduce((sum, { balance }) => sum + balance, 0)
      expect({ checkpoint, money }).toEqual({ checkpoint, money: ACCOUNTS * OPENING_BALANCE })
    }
  }, 120_000)

  test('is looked at and stopped as any other, also after its jobmanager was replaced', async () => {
    const bank = new Bank({ 'job.args.rate': 20_000 })
    await bank.process.runsUntil(() => bank.hasCheckpoint)
    const [first] = childrenOf(bank.process.pid).filter(child => child.kind === 'jobmanager')
    expect(first).toBeDefined()
    process.kill(first?.pid ?? 0, 'SIGKILL')
    await bank.process.runsUntil(() => (bank.process.err.match(/REST API at/g)?.length ?? 0) === 2)
    const list = await weir(['list', '--json'], bank.folder)
    expect(JSON.parse(list.out)).toMatchObject([{ jobId: 'default.bank-transfers' }])
    const savepoint = await weir(['savepoint'], bank.folder)
    expect(savepoint).toMatchObject({ code: 0, out: expect.stringMatching(/savepoint-\d+\n$/) })
    const rescale = await weir(['rescale', '--parallelism', '2'], bank.folder)
    expect(rescale).toMatchObject({
      code: 0,
      err: expect.stringContaining('bank-transfers goes on at parallelism 2'),
    })
    await bank.process.runsUntil(() => childrenOf(bank.process.pid).length === 3)
    const stop = await weir(['stop'], bank.folder)
    expect(stop).toMatchObject({ code: 0 })
    expect(await bank.process.ended).toMatchObject({ code: 0 })
  }, 60_000)

  test('ends with the command that started it, even if that one is killed', async () => {
    const bank = new Bank({ 'job.args.rate': 20_000 })
    await bank.process.runsUntil(() => bank.hasCheckpoint)
    const children = childrenOf(bank.process.pid)
    expect(children).toHaveLength(PARALLELISM + 1)
    await bank.process.killAlone()
    while (children.some(child => isAlive(child.pid))) await sleep(20)
    expect(readdirSync(join(bank.folder, '.weir/run'))).toEqual(['default.bank-transfers'])
  }, 60_000)
})
