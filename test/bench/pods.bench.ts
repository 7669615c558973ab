/**
 * One job on a real node, with much state in a bucket: for how long no record is processed when a
 * slot is killed and when the job is upgraded, and how long a deleted one is there.
 *
 *   --keys N          of 1 kB each
 *   --backend heap|rocksdb
 *   --surge auto|never    whether the next deployment's pods start before the job is stopped
 *   --upgrades N      each is shown
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { StreamJobStatus } from '../../src/protocol/stream-job-status.ts'
import { JobWatch } from '../e2e/kubernetes/job-watch.ts'
import { KubernetesRig, OUTPUT } from '../e2e/kubernetes/kubernetes-rig.ts'
import { kubeNodePart } from '../testbed/kube/kube-parts.ts'
import type { Part, PartEnvironment } from '../testbed/part.ts'
import { s3Part } from '../testbed/s3-part.ts'
import { stopServer } from '../testbed/server-process.ts'
import { type BenchIo, defineBench } from './bench-harness.ts'
import { BEATS } from './jobs/beat-job.ts'

const JOB = 'beat'
const SLOTS = 2
const source = join(import.meta.dirname, 'jobs/beat-job.ts')

interface Bench {
  readonly io: BenchIo
  readonly rig: KubernetesRig
  readonly watch: JobWatch
}

async function measure(bench: Bench): Promise<void> {
  const { io, rig, watch } = bench
  const keys = io.count('keys', 100_000)
  await apply(bench, 0)
  await watch.settled(0)
  const full = (status: StreamJobStatus): boolean => (status.state?.sizeBytes ?? 0) >= keys * 1_000
  await watch.until(`${keys} keys`, full)
  io.print(`${keys} keys of 1 kB, ${SLOTS} slots, backend ${io.option('backend', 'heap')}`)
  const selector = `weir.dev/job=${JOB},weir.dev/role=taskmanager`
  const names = await rig.kubectl.run('get', 'pods', '-l', selector, '-o', 'name')
  const [slot = ''] = names.split('\n')
  await gap(bench, 'a slot is killed (<= 10 s)', async () => {
    const before = watch.status.state?.checkpointId ?? 0
    await rig.killPod(slot.replace('pod/', ''))
    await watch.settled(before)
  })
  for (let nonce = 1; nonce <= io.count('upgrades', 3); nonce++) {
    await gap(bench, 'upgrade with a savepoint (<= 5 s)', async () => {
      const { epoch = 0 } = watch.status
      await apply(bench, nonce)
      await watch.until('the upgrade', ({ epoch: now = 0, upgrade, phase }) => {
        return now > epoch && upgrade === undefined && phase === 'Running'
      })
    })
  }
  watch.close()
  const beganMs = performance.now()
  await rig.kubectl.run('delete', 'streamjob', JOB, '--timeout=60s')
  await rig.kubectl.run(
    'wait',
    '--for=delete',
    'pods',
    '-l',
    `weir.dev/job=${JOB}`,
    '--timeout=60s',
  )
  line(io, 'deleted, until no pod is left (<= 5 s)', performance.now() - beganMs)
}

/** The longest time without records around what is done. */
async function gap({ io, rig }: Bench, what: string, act: () => Promise<void>): Promise<void> {
  const beganMs = Date.now()
  await act()
  await pause(1_000)
  const text = readFileSync(join(rig.output, BEATS), 'utf8')
  const beats = text.trim().split('\n').map(Number)
  const times = beats.filter(ms => ms > beganMs - 1_000).toSorted((a, b) => a - b)
  line(io, what, Math.max(...times.map((ms, index) => ms - (times[index - 1] ?? ms))))
}

function line(io: BenchIo, name: string, ms: number): void {
  io.print(`  ${name.padEnd(44)} ${(ms / 1_000).toFixed(1)} s`)
}

async function apply({ io, rig }: Bench, restartNonce: number): Promise<void> {
  const args = {
    report: OUTPUT,
    keys: String(io.count('keys', 100_000)),
    rate: String(io.count('rate', 5_000)),
  }
  const resources = { jobManager: { cpu: '100m' }, taskManager: { cpu: '100m' } }
  const file = rig.writeManifest({
    apiVersion: 'weir.dev/v1alpha1',
    kind: 'StreamJob',
    metadata: { name: JOB, namespace: 'default' },
    spec: {
      job: { inline: readFileSync(source, 'utf8'), args },
      parallelism: SLOTS,
      stateBackend: { type: io.option('backend', 'heap') },
      checkpoint: { storage: `s3://${rig.bucket}/${JOB}`, interval: '5s' },
      upgrade: { surge: io.option('surge', 'auto') },
      restartNonce,
      resources,
      podTemplate: {
        jobManager: rig.podTemplate('jobmanager'),
        taskManager: rig.podTemplate('taskmanager'),
      },
    },
  })
  await rig.kubectl.run('apply', '-f', file)
}

async function withPart(
  part: Part,
  act: (environment: PartEnvironment) => Promise<void>,
): Promise<void> {
  if (process.env[part.foundBy] !== undefined) return act(process.env as PartEnvironment)
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-part-'))
  try {
    await act(await part.start({ folder, owner: process.pid }))
    await stopServer(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export const pods = defineBench({
  name: 'pods',
  summary: 'a real node: a slot killed, savepoint upgrades with 100 MB of state, deletion',
  async run(io) {
    await withPart(s3Part, s3 =>
      withPart(kubeNodePart, async kube => {
        const rig = await KubernetesRig.open({ ...s3, ...kube }, 'bench')
        const watch = new JobWatch(JOB, rig.environment)
        try {
          await measure({ io, rig, watch })
        } finally {
          watch.close()
          await rig.kubectl.run('delete', 'streamjob', JOB, '--ignore-not-found', '--timeout=60s')
          await rig.close()
        }
      }),
    )
  },
})
