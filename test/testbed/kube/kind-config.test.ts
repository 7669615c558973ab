import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { expect, test } from '@jest/globals'
import { runTool } from '../run-tool.ts'
import { TestbedError } from '../testbed-error.ts'
import { kubeProgram } from './kube-binaries.ts'

const home = resolve(import.meta.dirname, '../../..')

/** Stands for a Docker that has nothing and can do nothing: kind then gets as far as it can. */
const docker = `#!/bin/sh
case $1 in
  info) echo '{"ServerVersion":"27.0.0","MemTotal":8000000000,"NCPU":2,"SecurityOptions":[]}' ;;
  ps | network | version) ;;
  *) exit 1 ;;
esac
`

/** Skipped where Go is missing, which fails with CI=true. */
const kind = await kubeProgram('kind').catch((error: unknown) => {
  const isMissing = error instanceof TestbedError && error.isMissing
  if (!isMissing || process.env.CI === 'true') throw error
  process.stderr.write(`kind does not check its configuration: ${error}\n`)
  return undefined
})

/** What kind says of a configuration, and how far it got. */
async function createCluster(config: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-kind-'))
  writeFileSync(join(folder, 'docker'), docker, { mode: 0o755 })
  writeFileSync(join(folder, 'config.yaml'), config)
  const path = `${folder}${delimiter}${process.env.PATH}`
  const create = ['create', 'cluster', '--config', join(folder, 'config.yaml')]
  try {
    return await runTool(join(kind ?? '', 'kind'), create, {
      environment: { PATH: path, KIND_EXPERIMENTAL_PROVIDER: 'docker' },
      install: '',
    })
  } catch (error) {
    if (error instanceof TestbedError && !error.isMissing) return error.message
    throw error
  }
}

const testWithKind = kind === undefined ? test.skip : test

testWithKind(
  'kind takes the configuration, up to the images that only Docker can fetch',
  async () => {
    const config = readFileSync(join(home, 'kind-config.yaml'), 'utf8')
    expect(await createCluster(config)).toContain('Ensuring node image')
    const broken = config.replace('role: worker', 'rolle: worker')
    expect(await createCluster(broken)).toContain('rolle')
  },
)
