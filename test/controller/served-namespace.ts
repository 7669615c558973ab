/**
 * A namespace of a real API server that a controller serves, with the rights of the install manifest
 * and no others. Who is kubelet in it is up to the test.
 */
import { expect } from '@jest/globals'
import { resourceKinds } from '../../src/controller/kube/resource-kind.ts'
import type { PodObject } from '../../src/controller/streamjob/pod-facts.ts'
import type { StreamJobObject } from '../../src/controller/streamjob/stream-job-object.ts'
import type { PartEnvironment } from '../testbed/part.ts'
import { FakeLink } from './fake-link.ts'
import { type Granted, grantRights } from './granted.ts'
import { JobKubelet } from './job-kubelet.ts'
import { type RunningController, runTestController } from './run-test-controller.ts'
import { connectTo, installCrds, type TestCluster } from './test-cluster.ts'
import { type Seen, type Watching, watcherOf } from './test-watch.ts'

export type JobStatus = NonNullable<StreamJobObject['status']>

export class ServedNamespace {
  readonly cluster: TestCluster
  readonly name: string
  readonly link = new FakeLink()
  readonly watching: Watching
  readonly jobs: Seen<StreamJobObject>
  readonly pods: Seen<PodObject>
  readonly #running: RunningController
  #kubelet: JobKubelet | undefined

  private constructor(cluster: TestCluster, name: string, { grant, connection }: Granted) {
    this.cluster = cluster
    this.name = name
    this.watching = watcherOf(cluster, name)
    this.jobs = this.watching.watch<StreamJobObject>(resourceKinds.streamJob)
    this.pods = this.watching.watch<PodObject>(resourceKinds.pod)
    this.#running = runTestController({
      config: { namespace: name, grant },
      connection,
      link: this.link,
    })
  }

  static async open(
    environment: PartEnvironment,
    labels: Readonly<Record<string, string>> = {},
  ): Promise<ServedNamespace> {
    const cluster = connectTo(environment)
    await installCrds(cluster)
    const name = await cluster.namespace(labels)
    await cluster.defaultAccount(name)
    return new ServedNamespace(cluster, name, await grantRights(cluster, name, environment))
  }

  /** Pods run and end as a kubelet would have them. */
  playKubelet(): JobKubelet {
    const { cluster, name: namespace, pods, link } = this
    this.#kubelet = new JobKubelet({ cluster, namespace, pods, link })
    return this.#kubelet
  }

  /** What a person would apply. */
  async apply(name: string, spec: object = {}): Promise<void> {
    await this.cluster.client<StreamJobObject>(resourceKinds.streamJob).apply(
      {
        apiVersion: 'weir.dev/v1alpha1',
        kind: 'StreamJob',
        metadata: { namespace: this.name, name },
        spec: {
          job: { module: 'a.ts' },
          checkpoint: { storage: 's3://bucket/prefix' },
          rollback: { stableCheckpoints: 1 },
          ...spec,
        },
      },
      { manager: 'person' },
    )
  }

  /** The status of a job once it is so. */
  until(name: string, holds: (status: JobStatus) => unknown): Promise<JobStatus> {
    return this.jobs.until(all => {
      const found = all.find(one => one.metadata.name === name)
      return found?.status !== undefined && holds(found.status) ? found.status : undefined
    })
  }

  async close(): Promise<void> {
    const code = await this.#running.stop()
    this.#kubelet?.end()
    await this.watching.end()
    await this.cluster.close()
    expect(code).toBe(0)
  }
}
