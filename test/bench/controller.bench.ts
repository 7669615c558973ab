/**
 * The controller by the thousand: a real API server and etcd, scheduler and controllers, nodes that
 * only claim to run their pods. Everything is on this machine, and shares its cores: the processor
 * time of the controller is given beside the time on the wall.
 *
 *   --jobs 1000 --parallelism 4    with pods, from nothing to all of them
 *   --resident 10000               more jobs without pods (suspended), before memory, rest, restart
 *   --changes 200                  of specs, ten a second
 *   --profile FOLDER               gets a profile of the controller's processor time
 *   --requests all                 prints what the API server was asked for, by anybody
 *
 * Not measured: what pods do, and jobmanagers that answer.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { KubeObject } from '../../src/controller/kube/kube-object.ts'
import { resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import type { StreamJobObject } from '../../src/controller/streamjob/stream-job-object.ts'
import { freePorts } from '../testbed/free-ports.ts'
import { kubeFakePart } from '../testbed/kube/kube-parts.ts'
import type { PartEnvironment } from '../testbed/part.ts'
import { stopServer } from '../testbed/server-process.ts'
import { type BenchIo, defineBench } from './bench-harness.ts'
import { clusterLoad, grown } from './controller/cluster-load.ts'
import { ClusterRig, type Seen } from './controller/cluster-rig.ts'
import { ControllerProcess } from './controller/controller-process.ts'
import { percentile } from './percentile.ts'

interface Bench {
  readonly io: BenchIo
  readonly environment: PartEnvironment
  readonly rig: ClusterRig
  readonly start: () => Promise<ControllerProcess>
  readonly jobs: Seen<StreamJobObject>
}

/** The garbage of the work before is collected in it, which costs as much as ten seconds of rest. */
const REST_MS = 60_000

/** What was measured, and in brackets what is wanted. */
function line(io: BenchIo, name: string, value: string): void {
  io.print(`  ${name.padEnd(44)} ${value}`)
}

async function createAll(bench: Bench, controller: ControllerProcess): Promise<void> {
  const { io, rig, environment } = bench
  const jobs = io.count('jobs', 1_000)
  const parallelism = io.count('parallelism', 4)
  const loadBefore = await clusterLoad(environment)
  const before = { atMs: performance.now(), cpuMs: controller.cpuMs }
  const writesBefore = await controller.writes()
  const wanted = jobs * (1 + parallelism)
  await Promise.all([rig.createJobs('job', jobs, { parallelism }), rig.podsReach(wanted)])
  const seconds = (performance.now() - before.atMs) / 1_000
  const cpu = (controller.cpuMs - before.cpuMs) / 1_000
  const writes = (await controller.writes()) - writesBefore
  io.print(`${jobs} jobs, ${wanted} pods`)
  line(io, 'all pods created', `${seconds.toFixed(1)} s (<= 60), ${cpu.toFixed(1)} s of CPU`)
  line(io, 'writes a job', (writes / jobs).toFixed(1))
  const load = await clusterLoad(environment)
  const shares = grown(load.cpuMs, loadBefore.cpuMs)
    .filter(([, ms]) => ms >= 100)
    .map(([name, ms]) => `${name} ${(ms / 1_000).toFixed(1)}`)
  line(io, 'processor of the cluster, seconds', shares.join(', '))
  const all = grown(load.requests, loadBefore.requests)
  const sum = all.reduce((total, [, count]) => total + count, 0)
  line(io, 'requests a job, those of all', (sum / jobs).toFixed(1))
  if (io.option('requests', '') === '') return
  for (const [name, count] of all) line(io, `  ${name}`, (count / jobs).toFixed(2))
}

async function rest(bench: Bench, controller: ControllerProcess): Promise<void> {
  const { io, rig, jobs } = bench
  const resident = io.count('resident', 10_000)
  const more = Math.max(0, resident - jobs.cache.size)
  await rig.createJobs('parked', more, { state: 'suspended' })
  await jobs.until(cache => cache.all().every(one => one.status?.phase !== undefined))
  await settle(controller)
  const requests = () => controller.figure('weir_controller_api_requests_total')
  const before = { cpuMs: controller.cpuMs, requests: await requests() }
  await pause(REST_MS)
  const core = (100 * (controller.cpuMs - before.cpuMs)) / REST_MS
  const calls = ((await requests()) - before.requests) / (REST_MS / 1_000)
  io.print(`${jobs.cache.size} jobs at rest`)
  line(io, 'resident memory', `${controller.residentMiB.toFixed(0)} MiB (<= 512)`)
  line(io, 'processor', `${core.toFixed(1)} % of a core (<= 3)`)
  line(io, 'requests', `${calls.toFixed(1)} a second, its lease among them`)
}

/** Nothing is asked for a while but its lease: what there was to do is done, and told as events. */
async function settle(controller: ControllerProcess): Promise<void> {
  for (let before = -1; ; ) {
    const requests = await controller.figure(
      'weir_controller_api_requests_total',
      /resource="(?!leases)/,
    )
    if (requests === before) return
    before = requests
    await pause(5_000)
  }
}

async function restart(bench: Bench, old: ControllerProcess): Promise<ControllerProcess> {
  const { io, jobs } = bench
  await old.end('SIGTERM')
  const controller = await bench.start()
  const passes = () =>
    controller.figure('weir_controller_reconcile_total', /controller="streamjob"/)
  while ((await passes()) < jobs.cache.size) await pause(50)
  const seconds = (performance.now() - controller.startedMs) / 1_000
  io.print('told to end, and started again')
  line(io, 'all jobs looked at', `${seconds.toFixed(1)} s (<= 20)`)
  line(io, 'processor', `${(controller.cpuMs / 1_000).toFixed(1)} s`)
  line(io, 'writes', `${await controller.writes()} (0)`)
  return controller
}

async function change({ io, rig, jobs }: Bench): Promise<void> {
  const changes = io.count('changes', 200)
  const delays: number[] = []
  const client = rig.cluster.client<StreamJobObject>(resourceKinds.streamJob)
  const each = async (number: number): Promise<void> => {
    const ref = { namespace: rig.namespaceOf(number), name: `job-${number}` }
    const step = { op: 'add', path: '/spec/priority', value: 1 } as const
    const patched = await client.patch(ref, [step])
    const sentMs = performance.now()
    const { generation = 0 } = patched.metadata
    const key = `${ref.namespace}/${ref.name}`
    await jobs.until(cache => (cache.get(key)?.status?.observedGeneration ?? 0) >= generation)
    delays.push(performance.now() - sentMs)
  }
  const all: Promise<void>[] = []
  for (let number = 0; number < changes; number++) {
    all.push(each(number))
    await pause(100)
  }
  await Promise.all(all)
  const [p50, p99] = [percentile(delays, 0.5), percentile(delays, 0.99)]
  io.print(`${changes} changed specs, ten a second`)
  line(
    io,
    'until the first write is seen',
    `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} (<= 150)`,
  )
}

async function failover(bench: Bench, leader: ControllerProcess): Promise<ControllerProcess> {
  const { io, rig } = bench
  const standby = await bench.start()
  await leader.end('SIGKILL')
  const killedMs = performance.now()
  const before = await rig.podCount()
  await rig.createJobs('after', 1, {})
  await rig.podsReach(before + 1)
  io.print('the leader killed')
  line(
    io,
    'first pod by the next one',
    `${((performance.now() - killedMs) / 1_000).toFixed(1)} s (<= 8)`,
  )
  return standby
}

async function measure(io: BenchIo, environment: PartEnvironment, folder: string): Promise<void> {
  const keyFile = join(folder, 'master-key')
  writeFileSync(keyFile, 'a key of a benchmark, of more than thirty-two characters\n', {
    mode: 0o600,
  })
  const rig = await ClusterRig.open(environment)
  const profileFolder = io.option('profile', '')
  let running: ControllerProcess | undefined
  const start = async (): Promise<ControllerProcess> => {
    const [port = 0] = await freePorts(1)
    const controller = new ControllerProcess({ environment, keyFile, port, profileFolder })
    await controller.ready()
    return controller
  }
  try {
    const bare = <T extends KubeObject>({ apiVersion, kind, metadata, ...rest }: T): T => {
      const { namespace, name, resourceVersion, generation } = metadata
      const kept = { namespace, name, resourceVersion, generation }
      const { status } = rest as { readonly status?: unknown }
      return { apiVersion, kind, metadata: kept, status } as unknown as T
    }
    const jobs = rig.watch<StreamJobObject>(resourceKinds.streamJob, bare)
    const bench: Bench = { io, environment, rig, start, jobs }
    running = await start()
    await createAll(bench, running)
    await rest(bench, running)
    running = await restart(bench, running)
    await change(bench)
    running = await failover(bench, running)
  } finally {
    await running?.end('SIGKILL')
    await rig.close()
  }
}

export const controller = defineBench({
  name: 'controller',
  summary: 'a thousand jobs deployed, ten thousand at rest, restart, changes and failover',
  async run(io) {
    const folder = mkdtempSync(join(tmpdir(), 'weir-bench-kube-'))
    try {
      const isThere = process.env.WEIR_TESTBED_KUBE_FAKE !== undefined
      const environment = isThere
        ? (process.env as PartEnvironment)
        : await kubeFakePart.start({ folder, owner: process.pid })
      await measure(io, environment, folder)
      if (!isThere) await stopServer(folder)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
})
