/**
 * The programs of Kubernetes, built from their published Go modules: `binaries/go.sum` pins the digest
 * of every source that goes into them. A cold compile takes minutes, so that each is built when a form
 * first needs it, at the lowest priority; what they share is compiled once.
 */
import { createHash } from 'node:crypto'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { installOnce } from '../install-once.ts'
import { runTool } from '../run-tool.ts'

export const KUBERNETES_VERSION = '1.37.2'
export const KUBE_INSTALL =
  'install Go 1.26 or newer (https://go.dev/dl), or run a cluster and name it by KUBECONFIG and ' +
  'WEIR_TESTBED_KUBE_CONTROL, WEIR_TESTBED_KUBE_FAKE or WEIR_TESTBED_KUBE=https://host:port'

/** Of an idle machine with two cores; a busy one takes several times as long. */
const BUILD_LIMIT_MS = 60 * 60_000

/** Go packages, by the name of the program that each makes. */
const packages = {
  control: './control',
  cluster: './cluster',
  tools: './tools',
  coredns: './coredns',
  pause: './pause',
  kwok: 'sigs.k8s.io/kwok/cmd/kwok',
  kind: 'sigs.k8s.io/kind',
} as const

/** What `tools` is called as. */
const toolNames = ['kubectl', 'helm']

export type KubeProgram = keyof typeof packages

/** kind wants older versions of what Kubernetes is made of: it has a module of its own. */
function sourceOf(program: KubeProgram): string {
  return join(import.meta.dirname, program === 'kind' ? 'kind' : 'binaries')
}

/** Builds where that was not done; gives the folder that holds the program. */
export async function kubeProgram(program: KubeProgram): Promise<string> {
  const digest = createHash('sha256')
  const own = packages[program].startsWith('./') ? [join(program, 'main.go')] : []
  const source = sourceOf(program)
  for (const file of ['go.mod', 'go.sum', ...own]) digest.update(readFileSync(join(source, file)))
  const name = `kube-${program}-${KUBERNETES_VERSION}-${digest.digest('hex').slice(0, 8)}`
  return installOnce(name, draft => build(program, join(draft, program)))
}

async function build(program: KubeProgram, output: string): Promise<void> {
  // Asked by its own name, so that it is known to be missing.
  await runTool('go', ['version'], { install: KUBE_INSTALL })
  const start = Date.now()
  process.stderr.write(`testbed: compiling ${program} of Kubernetes; cold, that takes minutes\n`)
  // Without symbols the linker needs half the memory.
  const lean = ['-trimpath', '-gcflags=all=-dwarf=false', '-ldflags', `-s -w ${versionFlags()}`]
  const args = ['go', 'build', '-mod=readonly', '-buildvcs=false', ...lean, '-o', output]
  await runTool('nice', ['-n', '19', ...args, packages[program]], {
    cwd: sourceOf(program),
    environment: { GOTOOLCHAIN: 'local', CGO_ENABLED: '0', GOFLAGS: '' },
    install: KUBE_INSTALL,
    limitMs: BUILD_LIMIT_MS,
  })
  const folder = dirname(output)
  if (program === 'kwok') await copyStages(folder)
  if (program === 'tools') for (const name of toolNames) symlinkSync('tools', join(folder, name))
  const seconds = Math.round((Date.now() - start) / 1000)
  process.stderr.write(`testbed: compiled ${program} in ${seconds} s\n`)
}

/** kwok does nothing without rules; its module has those that play a node and its pods. */
async function copyStages(folder: string): Promise<void> {
  const ask = ['list', '-m', '-f', '{{.Dir}}', 'sigs.k8s.io/kwok']
  const module = (await runTool('go', ask, { cwd: sourceOf('kwok'), install: KUBE_INSTALL })).trim()
  const stages = [
    'node/fast/node-initialize',
    'node/heartbeat-with-lease/node-heartbeat-with-lease',
  ]
  const ofPods = ['pod-ready', 'pod-complete', 'pod-delete'].map(name => `pod/fast/${name}`)
  const texts = [...stages, ...ofPods].map(name =>
    readFileSync(join(module, 'kustomize/stage', `${name}.yaml`), 'utf8'),
  )
  writeFileSync(join(folder, 'stages.yaml'), texts.join('\n---\n'))
}

/** Helm and kubectl compare versions; a build without them calls itself v0.0.0. */
function versionFlags(): string {
  const [major, minor] = KUBERNETES_VERSION.split('.')
  const values = {
    gitVersion: `v${KUBERNETES_VERSION}`,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
    // The module proxy knows versions, not commits.
    gitCommit: '0'.repeat(40),
    buildDate: '1970-01-01T00:00:00Z',
  }
  return ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version']
    .flatMap(name => Object.entries(values).map(([key, value]) => `-X ${name}.${key}=${value}`))
    .join(' ')
}
