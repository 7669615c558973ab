import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PartEnvironment } from '../part.ts'
import { runTool } from '../run-tool.ts'

/** kubectl of the testbed, with the rights of the administrator. */
export class Kubectl {
  readonly #environment: PartEnvironment

  constructor(environment: PartEnvironment) {
    this.#environment = environment
  }

  run(...args: readonly string[]): Promise<string> {
    const kubectl = join(this.#environment.WEIR_TESTBED_KUBE_TOOLS ?? '', 'kubectl')
    // Its warnings are no answer.
    const options = { environment: this.#environment, install: '', gives: 'output' } as const
    return runTool(kubectl, args, options)
  }

  async apply(...objects: readonly object[]): Promise<void> {
    const file = join(mkdtempSync(join(tmpdir(), 'weir-kubectl-')), 'objects.json')
    writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
    await this.run('apply', '--server-side', '-f', file)
  }

  /** Until a field of the object has the value: `.status.phase=Running`. */
  async wait(namespace: string, object: string, what: string): Promise<void> {
    const [, field, value] = /^(.*)=(.*)$/.exec(what) ?? []
    const condition = `--for=jsonpath={${field}}=${value}`
    await this.run('wait', '--namespace', namespace, object, condition, '--timeout=90s')
  }
}
