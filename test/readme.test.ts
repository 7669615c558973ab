/**
 * Every command that the README and CONTRIBUTING show is run by a test: here, or in the file that is
 * named. A command that nobody runs fails.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'

const home = resolve(import.meta.dirname, '..')
const scratch = mkdtempSync(join(tmpdir(), 'weir-readme-'))

/** Run here: the command as it is shown, with its output in a folder of the test. */
const runHere: Record<string, readonly string[]> = {
  './weir plan manifests/samples/word-count.yaml': [],
  './weir run manifests/samples/word-count.yaml --set spec.job.args.output=out/words': [
    '--set',
    `spec.job.args.output=${scratch}/words`,
  ],
  './weir run manifests/samples/bank-transfers.yaml --parallelism 4': [
    '--set',
    `spec.job.args.output=${scratch}/transfers`,
    '--set',
    'spec.job.args.transfers=20000',
  ],
  './weir bench --list': [],
}

/** Run elsewhere: the file that does it. */
const runElsewhere: Record<string, string> = {
  './weir run manifests/samples/flight-delays.yaml': 'test/e2e/flight-delays.test.ts',
  './weir run manifests/samples/kafka/ledger.yaml --testbed': 'test/e2e/run-on-testbed.test.ts',
  './weir run manifests/samples/flight-delays.yaml --restore latest':
    'test/e2e/flight-delays.test.ts',
  './weir savepoint inspect .weir/checkpoints/default.word-count/chk-1':
    'test/cli/weir-command.test.ts',
  './weir sim --seeds 1000': 'test/cli/sim.test.ts',
  './weir status': 'test/cli/steer-job.test.ts',
  './weir checkpoints': 'test/cli/steer-job.test.ts',
  './weir savepoint': 'test/cli/steer-job.test.ts',
  './weir stop --savepoint': 'test/cli/steer-job.test.ts',
  'helm install weir-crds charts/weir-crds --namespace weir-system --create-namespace':
    'test/e2e/kubernetes-quick-start.test.ts',
  'helm install weir charts/weir --namespace weir-system --wait':
    'test/e2e/kubernetes-quick-start.test.ts',
  'kubectl apply -f manifests/samples/kubernetes/bank-transfers.yaml':
    'test/e2e/kubernetes-quick-start.test.ts',
  'kubectl weir status': 'test/cli/kubectl/kubectl-weir.test.ts',
  'npm pack': 'test/package.test.ts',
  // What runs this very test.
  './weir test': 'test/readme.test.ts',
  '.ci/run': 'test/readme.test.ts',
}

function commandsOf(page: string): string[] {
  const text = readFileSync(join(home, page), 'utf8')
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(match =>
    (match[1] ?? '').split('\n').filter(line => line.trim() !== ''),
  )
}

test.each(['README.md', 'CONTRIBUTING.md'])('each command of %s is known', page => {
  const known = [...Object.keys(runHere), ...Object.keys(runElsewhere)]
  expect(commandsOf(page).filter(command => !known.includes(command))).toEqual([])
})

test('each known command is still shown, and the file that runs it exists', () => {
  const shown = [...commandsOf('README.md'), ...commandsOf('CONTRIBUTING.md')]
  const known = [...Object.keys(runHere), ...Object.keys(runElsewhere)]
  expect(known.filter(command => !shown.includes(command))).toEqual([])
  expect(Object.values(runElsewhere).filter(file => !existsSync(join(home, file)))).toEqual([])
})

describe('the commands run', () => {
  test.each(Object.entries(runHere))(
    '%s',
    async (command, more) => {
      const [program = '', ...args] = command.split(' ')
      const env = { ...process.env, XDG_CACHE_HOME: join(scratch, 'cache') }
      const storage = ['--set', `spec.checkpoint.storage=file://${scratch}/checkpoints`]
      const all = [...args, ...more, ...(args[0] === 'run' ? storage : [])]
      const said = await new Promise<string>(done => {
        execFile(join(home, program), all, { cwd: home, env }, (error, out, err) => {
          done(error === null ? 'done' : `${out}${err}`)
        })
      })
      expect(said).toBe('done')
    },
    60_000,
  )
})

test('the job in the README is the sample', () => {
  const readme = readFileSync(join(home, 'README.md'), 'utf8')
  const sample = readFileSync(join(home, 'src/examples/word-count.ts'), 'utf8')
  const code = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  expect(sample).toContain(code)
})
