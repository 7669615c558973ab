/**
 * Weir on the real node as a user has it: its image, both charts, a bucket that pods reach, and a
 * folder that all pods of a job share. Besides, what kills things there.
 */
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { SystemClock } from '../../../src/common/clock.ts'
import { SystemRandom } from '../../../src/common/random.ts'
import { S3ObjectStore } from '../../../src/storage/s3/s3-object-store.ts'
import { TestBuckets } from '../../storage/s3/test-buckets.ts'
import { enterNode, killOnNode, loadImage } from '../../testbed/kube/enter-node.ts'
import { Kubectl } from '../../testbed/kube/kubectl.ts'
import { type OpenedPort, openToPods } from '../../testbed/kube/open-to-pods.ts'
import type { PartEnvironment } from '../../testbed/part.ts'
import { runTool } from '../../testbed/run-tool.ts'

const home = resolve(import.meta.dirname, '../../..')
const own = ['--namespace', 'weir-system']
/** Where the shared folder is in a pod. */
export const OUTPUT = '/output'

export class KubernetesRig {
  readonly environment: PartEnvironment
  readonly kubectl: Kubectl
  /** What pods write to `OUTPUT`. */
  readonly output: string
  readonly bucket: string
  readonly buckets: TestBuckets
  readonly #opened: OpenedPort
  readonly #saved = { ...process.env }

  private constructor(environment: PartEnvironment, parts: RigParts) {
    this.environment = environment
    this.kubectl = new Kubectl(environment)
    this.buckets = parts.buckets
    this.bucket = parts.bucket
    this.#opened = parts.opened
    this.output = mkdtempSync(join(tmpdir(), 'weir-output-'))
    // The pods have a number of their own.
    chmodSync(this.output, 0o777)
    Object.assign(process.env, environment)
  }

  /** Builds the image, and installs the charts with it. */
  static async open(environment: PartEnvironment, tag: string): Promise<KubernetesRig> {
    const { WEIR_TESTBED_KUBE_NODE: node = '', WEIR_TESTBED_KUBE_HOST: host = '' } = environment
    const archive = join(mkdtempSync(join(tmpdir(), 'weir-image-')), 'weir.oci.tar')
    const build = ['image', 'build', '--tag', `localhost/weir:${tag}`, '--output', archive]
    await runTool(join(home, 'weir'), build, { install: '' })
    await loadImage(node, archive)
    const buckets = new TestBuckets(environment)
    const bucket = await buckets.make()
    const opened = await openToPods(environment.WEIR_TESTBED_S3 ?? '', host)
    const rig = new KubernetesRig(environment, { buckets, bucket, opened })
    await rig.helm('install', 'weir-crds', 'charts/weir-crds', ...own, '--create-namespace')
    await rig.helm('install', 'weir', 'charts/weir', ...own, '--set', `image.tag=${tag}`, '--wait')
    return rig
  }

  async close(): Promise<void> {
    await this.helm('uninstall', 'weir', ...own, '--wait')
    await this.helm('uninstall', 'weir-crds', ...own)
    this.#opened.close()
    this.buckets.close()
    process.env = this.#saved
  }

  helm(...args: readonly string[]): Promise<string> {
    const program = join(this.environment.WEIR_TESTBED_KUBE_TOOLS ?? '', 'helm')
    return runTool(program, args, { cwd: home, environment: this.environment, install: '' })
  }

  /** `kubectl weir VERB …`. */
  weir(...args: readonly string[]): Promise<string> {
    const { WEIR_TESTBED_KUBE_TOOLS: tools = '' } = this.environment
    const PATH = `${tools}:${process.env.PATH ?? ''}`
    const environment = { ...this.environment, PATH }
    return runTool(join(home, 'weir'), ['kubectl', ...args], { environment, install: '' })
  }

  /** What is laid over the pods of a job: the key of the bucket, and the shared folder. */
  podTemplate(container: string, more: object = {}): object {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = this.environment
    const given = { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION }
    const env = Object.entries({ ...given, AWS_ENDPOINT_URL_S3: this.#opened.url }).flatMap(
      ([name, value]) => (value === undefined ? [] : [{ name, value }]),
    )
    const volumeMounts = [{ name: 'output', mountPath: OUTPUT }]
    const volumes = [{ name: 'output', hostPath: { path: this.output } }]
    return { spec: { volumes, containers: [{ name: container, env, volumeMounts, ...more }] } }
  }

  /** The store that a job keeps its checkpoints in. */
  store(prefix: string): S3ObjectStore {
    return new S3ObjectStore({
      location: `s3://${this.bucket}/${prefix}`,
      random: new SystemRandom(),
      clock: new SystemClock(),
    })
  }

  /** One module of the job's code; gives its digest. */
  async bundle(module: string): Promise<string> {
    const file = join(mkdtempSync(join(tmpdir(), 'weir-bundle-')), 'job.mjs')
    const flags = ['--bundle', '--format=esm', '--platform=node', '--external:weir']
    const args = [module, ...flags, '--external:zod', `--outfile=${file}`]
    await runTool(join(home, 'node_modules/.bin/esbuild'), args, { install: '' })
    return file
  }

  writeManifest(object: object): string {
    const file = join(mkdtempSync(join(tmpdir(), 'weir-manifest-')), 'job.json')
    writeFileSync(file, JSON.stringify(object))
    return file
  }

  /** SIGKILL for the process of a pod, as when the kernel is out of memory. */
  async killPod(pod: string, namespace = 'default'): Promise<void> {
    const path = 'jsonpath={.status.containerStatuses[0].containerID}'
    const id = await this.kubectl.run('get', 'pod', pod, '--namespace', namespace, '-o', path)
    const container = id.replace('containerd://', '')
    const { WEIR_TESTBED_KUBE_NODE: node = '' } = this.environment
    const kill = ['ctr', '--namespace', 'k8s.io', 'tasks', 'kill', '--signal', 'SIGKILL', container]
    const [command, ...args] = [...enterNode(node), ...kill]
    await runTool(command, args, { install: '' })
  }

  /** The controller that leads; gives its identity. */
  async killLeader(): Promise<string> {
    const leader = await this.leader()
    // NAME-HASH-HASH, and a number of its own.
    await this.killPod(leader.split('-').slice(0, 4).join('-'), 'weir-system')
    return leader
  }

  leader(): Promise<string> {
    const path = 'jsonpath={.spec.holderIdentity}'
    return this.kubectl.run('get', 'lease', 'weir-controller', ...own, '-o', path)
  }

  killKubelet(): Promise<void> {
    return killOnNode(this.environment.WEIR_TESTBED_KUBE_NODE ?? '', 'kubelet')
  }
}

interface RigParts {
  readonly buckets: TestBuckets
  readonly bucket: string
  readonly opened: OpenedPort
}
