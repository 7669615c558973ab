/** kubectl with the plugin in its PATH, as a person has it: what it prints, and how it ends. */
import { spawn } from 'node:child_process'
import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { kubeProgram } from '../../testbed/kube/kube-binaries.ts'
import type { PartEnvironment } from '../../testbed/part.ts'

const home = resolve(import.meta.dirname, '../../..')

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface PluginRunner {
  run(...args: readonly string[]): Promise<Ended>
  /** The file of a manifest; of several documents, where there are more. */
  fileOf(name: string, ...documents: readonly object[]): string
}

export async function pluginRunner(environment: PartEnvironment): Promise<PluginRunner> {
  const tools = await kubeProgram('tools')
  const folder = mkdtempSync(join(tmpdir(), 'weir-plugin-'))
  for (const name of ['kubectl-weir', 'kubectl_complete-weir']) {
    symlinkSync(join(home, 'weir'), join(folder, name))
  }
  const PATH = [folder, tools, process.env.PATH].join(delimiter)
  return {
    run: (...args) => {
      const child = spawn(join(tools, 'kubectl'), args, {
        cwd: home,
        env: { ...process.env, ...environment, PATH },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const said = { out: '', err: '' }
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said.out += text
      })
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said.err += text
      })
      return new Promise(done => child.on('close', code => done({ code, ...said })))
    },
    fileOf: (name, ...documents) => {
      const file = join(folder, `${name}.yaml`)
      writeFileSync(file, documents.map(one => stringify(one)).join('---\n'))
      return file
    },
  }
}
