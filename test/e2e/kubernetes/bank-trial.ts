/**
 * One job on a real cluster that is hurt and changed while it works: transfers between accounts, by
 * three slots, with checkpoints in a bucket and an exactly-once sink. What it did is judged by its
 * output, by the money in every snapshot, and by what was seen of it meanwhile.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { standingsIn } from '../../examples/bank-audit.ts'
import { readRows } from '../../examples/output-folder.ts'
import type { Entry } from '../../force/ledger/check-ledger.ts'
import { JobWatch } from './job-watch.ts'
import { type KubernetesRig, OUTPUT } from './kubernetes-rig.ts'

export const JOB = 'bank'
const ACCOUNTS = 200
const ALL_MONEY = ACCOUNTS * 100_000
const source = join(import.meta.dirname, 'bank-job.ts')
/** Two ways in which a cluster gets the code of a job. */
export type Code = 'configMap' | 'bundle'

/** What a person has in the manifest at the moment. */
export interface Wanted {
  readonly code: Code
  readonly parallelism: number
  readonly fault: 'none' | 'throw' | 'stall'
  /** Transfers a second; 0: as fast as it can. */
  readonly rate: number
  /** Of the slots. */
  readonly image?: string
}

export interface TrialOptions {
  readonly transfers: number
  readonly rate: number
}

interface Snapshot {
  readonly path: string
  readonly triggeredAtMs: number
  readonly completedAtMs: number
}

export class BankTrial {
  readonly rig: KubernetesRig
  readonly watch: JobWatch
  /** How long things took, for people. */
  readonly figures: string[] = []
  readonly #transfers: number
  #wanted: Wanted
  #digest = ''

  constructor(rig: KubernetesRig, { transfers, rate }: TrialOptions) {
    this.rig = rig
    this.#transfers = transfers
    this.#wanted = { code: 'configMap', parallelism: 3, fault: 'none', rate }
    this.watch = new JobWatch(JOB, rig.environment)
  }

  get wanted(): Wanted {
    return this.#wanted
  }

  get newestCheckpoint(): number {
    return this.watch.status.state?.checkpointId ?? 0
  }

  async begin(): Promise<void> {
    const { kubectl } = this.rig
    const code = readFileSync(source, 'utf8')
    const metadata = { name: 'bank-code', namespace: 'default' }
    await kubectl.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      data: { 'bank-job.ts': code },
    })
    const bundle = readFileSync(await this.rig.bundle(source))
    this.#digest = `sha256:${createHash('sha256').update(bundle).digest('hex')}`
    await this.rig.store('code').put('bank.mjs', bundle)
    await this.apply({})
    await this.watch.settled(0)
  }

  /** `kubectl apply` of a changed manifest. */
  async apply(change: Partial<Wanted>): Promise<void> {
    this.#wanted = { ...this.#wanted, ...change }
    const file = this.rig.writeManifest(this.#manifest())
    await this.rig.kubectl.run('apply', '-f', file)
  }

  /** The names of its pods that run. */
  async pods(role: 'jobmanager' | 'taskmanager'): Promise<readonly string[]> {
    const selector = `weir.dev/job=${JOB},weir.dev/role=${role}`
    const path = 'jsonpath={.items[*].metadata.name}'
    const running = ['--field-selector', 'status.phase=Running', '-o', path]
    return (await this.rig.kubectl.run('get', 'pods', '-l', selector, ...running)).split(' ')
  }

  /** Does a thing, and waits until checkpoints complete again: each of them had its records pass. */
  async recovers(what: string, act: () => Promise<unknown>): Promise<void> {
    const before = this.newestCheckpoint
    await act()
    const sinceMs = Date.now()
    await this.watch.settled(before)
    for (;;) {
      const found = await this.snapshots()
      const first = found.find(one => one.triggeredAtMs > sinceMs)
      if (first !== undefined) {
        const seconds = (first.completedAtMs - sinceMs) / 1_000
        this.figures.push(`${what}: records flow ${seconds.toFixed(1)} s later`)
        return
      }
      await this.watch.settled(this.newestCheckpoint)
    }
  }

  /** A change that is taken: another epoch is stable with it. */
  async upgrades(change: Partial<Wanted>): Promise<void> {
    const { epoch = 0 } = this.watch.status
    await this.apply(change)
    await this.isNext(epoch, 'UpgradeCompleted')
    await this.#noteGap()
  }

  /** Until an epoch after this one is settled, with nothing refused. */
  isNext(epoch: number, what: string): Promise<void> {
    return this.watch.until(
      what,
      status =>
        (status.epoch ?? 0) > epoch &&
        status.phase === 'Running' &&
        status.upgrade === undefined &&
        status.state?.epoch === status.epoch,
    )
  }

  /** A change that fails when it runs: the revision before takes its place, and says so. */
  async isUndone(change: Partial<Wanted>, cause: RegExp): Promise<void> {
    const good = this.#wanted
    const { current } = this.watch.status.revision ?? {}
    await this.apply(change)
    const isUndone = (type: string): boolean =>
      this.watch.status.conditions?.some(
        one => one.type === type && one.status === 'True' && cause.test(one.message),
      ) === true
    await this.watch.until(`undone: ${cause.source}`, ({ phase, upgrade, revision }) => {
      const isBack = revision?.current === current && revision?.stable === current
      return phase === 'Running' && upgrade === undefined && isBack && isUndone('RolledBack')
    })
    await this.watch.settled(this.newestCheckpoint)
    this.#wanted = good
    await this.apply({})
  }

  /** Without a brake to its end, and then all that it did is looked at. */
  async end(): Promise<readonly string[]> {
    await this.apply({ rate: 0 })
    await this.watch.until('its end', ({ phase }) => phase === 'Finished')
    return [...this.watch.wrong, ...this.#wrongOutput()]
  }

  /** Every `step`-th snapshot, and the last one. */
  async wrongMoney(step: number): Promise<readonly string[]> {
    const store = this.rig.store(JOB)
    const wrong: string[] = []
    const found = await this.snapshots()
    const looked = found.filter((_one, index) => index % step === 0 || index === found.length - 1)
    let gone = 0
    for (const { path } of looked) {
      try {
        const standings = await standingsIn(store, path, ACCOUNTS)
        const money = standings.reduce((sum, { balance }) => sum + balance, 0)
        if (money !== ALL_MONEY) wrong.push(`${path} has ${money}, not ${ALL_MONEY}`)
      } catch (error) {
        // What a deployment was stopped with goes once a later one has proved itself.
        if (!path.includes('/savepoint-') || (await this.#isThere(path))) throw error
        gone++
      }
    }
    const count = looked.length - gone
    const right = `${count - wrong.length} of the ${count} snapshots looked at`
    this.figures.push(`the money is right in ${right}, of ${found.length} in all`)
    return wrong
  }

  async #isThere(snapshot: string): Promise<boolean> {
    return (await this.snapshots()).some(({ path }) => path === snapshot)
  }

  /** `kubectl delete`; gives what is left of it. */
  async isGone(): Promise<readonly string[]> {
    const { kubectl } = this.rig
    this.watch.close()
    const beganMs = Date.now()
    const pods = `pods -l weir.dev/job=${JOB}`.split(' ')
    await kubectl.run('delete', 'streamjob', JOB, '--timeout=60s')
    await kubectl.run('wait', '--for=delete', ...pods, '--timeout=60s')
    this.figures.push(`deleted: gone ${((Date.now() - beganMs) / 1_000).toFixed(1)} s later`)
    // What a person took stays until he removes it, also without the job.
    const savepoints = (await kubectl.run('get', 'savepoints', '-o', 'name')).split('\n')
    for (const name of savepoints.filter(one => /\/bank-[a-z0-9]{5}$/.test(one))) {
      await kubectl.run('delete', name, '--timeout=120s')
    }
    const kinds = 'configmaps,secrets,services,controllerrevisions,networkpolicies'
    const all = ['get', `${kinds},poddisruptionbudgets,savepoints`, '-o', 'name']
    const collected = async (): Promise<readonly string[]> =>
      (await kubectl.run(...all)).split('\n').filter(name => name.includes(`/${JOB}-`))
    // The garbage collector comes after the pods.
    const deadlineMs = beganMs + 60_000
    let left = await collected()
    while (left.some(name => name !== 'configmap/bank-code') && Date.now() < deadlineMs) {
      left = await collected()
    }
    return left.filter(name => name !== 'configmap/bank-code')
  }

  /** The completed ones that the store has, in the order of their completion. */
  async snapshots(): Promise<readonly Snapshot[]> {
    const store = this.rig.store(JOB)
    const entries = await store.list(`default.${JOB}/`)
    const found = entries.filter(({ key }) => key.endsWith('/_metadata'))
    const snapshots = await Promise.all(
      found.map(async ({ key }) => {
        const metadata = JSON.parse((await store.get(key)).toString()) as Omit<Snapshot, 'path'>
        return { ...metadata, path: key.slice(0, -'/_metadata'.length) }
      }),
    )
    return snapshots.toSorted((a, b) => a.completedAtMs - b.completedAtMs)
  }

  /** From the savepoint that the job was stopped with to the first snapshot of the next epoch. */
  async #noteGap(): Promise<void> {
    const found = await this.snapshots()
    const stop = found.findLastIndex(one => one.path.includes('/savepoint-'))
    const [last, next] = found.slice(stop)
    if (last === undefined || next === undefined) return
    const seconds = (next.completedAtMs - last.completedAtMs) / 1_000
    this.figures.push(`upgraded: ${seconds.toFixed(1)} s without records`)
  }

  #wrongOutput(): readonly string[] {
    const rows = readRows<Entry>(this.rig.output)
    const wrong: string[] = []
    const sides = new Map<number, number>()
    for (const { transfer } of rows) sides.set(transfer, (sides.get(transfer) ?? 0) + 1)
    for (let id = 0; id < this.#transfers; id++) {
      const times = sides.get(id) ?? 0
      if (times !== 2) wrong.push(`transfer ${id} has ${times} sides`)
    }
    if (rows.length !== 2 * this.#transfers) wrong.push(`there are ${rows.length} rows`)
    const money = rows.reduce((sum, row) => sum + row.amount, 0)
    if (money !== 0) wrong.push(`all amounts together are ${money}`)
    return wrong
  }

  #manifest(): object {
    const { code, parallelism, fault, rate, image } = this.#wanted
    const url = `s3://${this.rig.bucket}/code/bank.mjs`
    const from = {
      configMap: { configMap: { name: 'bank-code', key: 'bank-job.ts' } },
      bundle: { bundle: { url, digest: this.#digest } },
    }
    const args = {
      transfers: String(this.#transfers),
      accounts: String(ACCOUNTS),
      rate: String(rate),
      fault,
      output: OUTPUT,
    }
    return {
      apiVersion: 'weir.dev/v1alpha1',
      kind: 'StreamJob',
      metadata: { name: JOB, namespace: 'default' },
      spec: {
        job: { ...from[code], args },
        parallelism,
        checkpoint: {
          storage: `s3://${this.rig.bucket}/${JOB}`,
          interval: '1s',
          retained: 1_000,
          // One that stalls is given up before the deadline of the upgrade.
          timeout: '20s',
          tolerableFailures: 100,
        },
        rollback: { deadline: '60s' },
        resources: { jobManager: { cpu: '100m' }, taskManager: { cpu: '100m' } },
        podTemplate: {
          jobManager: this.rig.podTemplate('jobmanager'),
          taskManager: this.rig.podTemplate('taskmanager', image === undefined ? {} : { image }),
        },
      },
    }
  }
}
