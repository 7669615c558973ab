/** A controller that dies right after any of its writes changes nothing of where an upgrade ends. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { resourceKinds } from '../../../src/controller/kube/resource-kind.ts'
import type { SavepointObject } from '../../../src/controller/savepoint/savepoint-object.ts'
import type { StreamJobObject } from '../../../src/controller/streamjob/stream-job-object.ts'
import { describeWithPart } from '../../testbed/describe-with-part.ts'
import { type CrashWorld, crashRun } from '../crash-points.ts'
import { runningFacts } from '../fake-link.ts'
import { connectTo, installCrds } from '../test-cluster.ts'

const isLong = process.env.WEIR_TEST_LONG === '1'
const proven = { ...runningFacts, checkpoints: { ...runningFacts.checkpoints, completed: 2 } }

await describeWithPart('an upgrade whose controller dies', 'kube-control', environment => {
  const cluster = connectTo(environment)
  beforeAll(() => installCrds(cluster))
  afterAll(() => cluster.close())

  /** Deployed, changed, and running again as the changed one. */
  const story = async ({ namespace, watching, link, pods }: CrashWorld): Promise<unknown> => {
    const jobs = cluster.client<StreamJobObject>(resourceKinds.streamJob)
    const seen = watching.watch<StreamJobObject>(resourceKinds.streamJob)
    const savepoints = watching.watch<SavepointObject>(resourceKinds.savepoint)
    const write = (module: string) =>
      jobs.apply(
        {
          apiVersion: 'weir.dev/v1alpha1',
          kind: 'StreamJob',
          metadata: { namespace, name: 'j' },
          spec: { job: { module }, checkpoint: { storage: 's3://bucket/prefix' } },
        },
        { manager: 'person' },
      )
    link.said.set('j', proven)
    await write('a.ts')
    const first = await seen.until(([one]) => one?.status?.revision?.stable)
    await write('b.ts')
    await seen.until(([one]) => (one?.status?.epoch === 2 ? true : undefined))
    link.said.set('j', proven)
    const last = await seen.until(([one]) => {
      const { revision, upgrade } = one?.status ?? {}
      const isOver = upgrade === undefined && revision?.stable !== first
      return isOver ? one?.status : undefined
    })
    // What it was stopped with is needed by nobody any more.
    const isDisposed = (name: string) => /^j-stop-.*-dispose-1$/.test(name)
    await pods.until(all => all.some(one => isDisposed(one.metadata.name)) || undefined)
    await savepoints.until(all => (all.length === 0 ? true : undefined))
    const whole = await pods.until(all => {
      const names = all.map(one => one.metadata.name).filter(name => !isDisposed(name))
      return names.length === 2 ? names.toSorted() : undefined
    })
    const { epoch, phase, revision, state } = last
    return {
      epoch,
      phase,
      isStable: revision?.stable === revision?.current,
      kind: state?.kind,
      whole,
    }
  }

  test('ends where the undisturbed one does', async () => {
    const calm = await crashRun({ cluster, environment, story })
    expect(calm.end).toMatchObject({ epoch: 2, phase: 'Running', isStable: true })
    const every = isLong ? 1 : Math.ceil(calm.writes.length / 4)
    for (let at = 1; at <= calm.writes.length; at += every) {
      const { end } = await crashRun({ cluster, environment, story }, at)
      expect({ at: calm.writes[at - 1], end }).toEqual({ at: calm.writes[at - 1], end: calm.end })
    }
  })
})
