/**
 * The quick starts of docs/kubernetes-quick-start.md, from their text: the one without Docker is run
 * as it stands, on a cluster of its own; each line of the others is one of its lines, or is checked
 * for what it asks of the tool.
 */
import { readFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { expect, test } from '@jest/globals'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { runTool } from '../testbed/run-tool.ts'

const home = resolve(import.meta.dirname, '../..')
const text = readFileSync(join(home, 'docs/kubernetes-quick-start.md'), 'utf8')

function commandsUnder(title: string): readonly string[] {
  const [, section = ''] = text.split(`## ${title}\n`)
  const [, block = ''] = /```sh\n([\s\S]*?)```/.exec(section) ?? []
  return block.trim().split('\n')
}

const tried = commandsUnder('Without Docker')

/** So that neither a person's cluster nor that of another test is taken. */
const OWN = '--name quick-start'
function onItsOwn(commands: readonly string[]): string {
  return commands
    .map(line => line.replace(/(testbed (?:up|status|down|load)) (kube|s3)/, `$1 $2 ${OWN}-$2`))
    .join('\n')
}

// The part is not used: it tells whether this machine can have a node at all.
await describeWithPart('the quick start without Docker', ['kube', 's3'], environment => {
  const shell = (script: string): Promise<string> =>
    runTool('bash', ['-e', '-o', 'pipefail', '-c', script], { cwd: home, install: '' })

  test('does what its commands say', async () => {
    const end = tried.filter(line => line.includes('testbed down'))
    const begin = tried.filter(line => !end.includes(line))
    try {
      const said = await shell(onItsOwn(begin))
      expect(said).toContain('streamjob.weir.dev/bank-transfers condition met')
      expect(said).toMatch(/bank-transfers +running/)
      expect(said).toMatch(/\[pod\/bank-transfers-tm-1-1-\d+\/taskmanager\]/)
      expect(said).toMatch(/s3:\/\/jobs\/bank-transfers\/.*savepoint-\d+/)
      expect(said).toContain('streamjob.weir.dev/bank-transfers suspended')
      expect(said).toContain('streamjob.weir.dev/bank-transfers resumed')
      expect(said).toContain('nothing is wrong that the cluster knows of')
    } finally {
      await shell(onItsOwn(end))
    }
  }, 900_000)

  const helmAndKubectl = [...commandsUnder('By kind'), ...commandsUnder('Any cluster')].filter(
    line => /^(helm|kubectl create)/.test(line) && !tried.includes(line),
  )

  test.each(helmAndKubectl)('%s', async line => {
    const PATH = [environment.WEIR_TESTBED_KUBE_TOOLS, process.env.PATH].join(delimiter)
    const dry = line.startsWith('helm')
      ? line.replace('helm install', 'helm template').replace(' --wait', '')
      : `${line} --dry-run=client`
    await runTool('sh', ['-c', dry], {
      cwd: home,
      environment: { ...environment, PATH },
      install: '',
    })
  })
})

/** Lines that only Docker can try, and the test that holds what they name. */
const byDocker: Readonly<Record<string, string>> = {
  'kind create cluster --config kind-config.yaml': 'testbed/kube/kind-config.test.ts',
  './weir image build --output weir.oci.tar': 'the same line with another file is run',
  'kind load image-archive weir.oci.tar --name weir': 'the name of kind-config.yaml',
  'kind delete cluster --name weir': 'the name of kind-config.yaml',
  'docker build --tag registry.example/weir:0.1.0 .': 'the Dockerfile is held by cli/image',
  'docker push registry.example/weir:0.1.0': 'the tag that was built',
}

test.each(['By kind', 'Any cluster'])('no line of %s is without a test', title => {
  const open = commandsUnder(title).filter(line => !/^(helm|kubectl create)/.test(line))
  const known = [...tried, ...Object.keys(byDocker), 'kubectl weir status']
  expect(open.filter(line => !known.includes(line))).toEqual([])
})
