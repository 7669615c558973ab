/**
 * What of `charts/` is made from the code: the CRDs, the schemas of the values, the dashboard; and
 * `manifests/install/controller.yaml`, which is the chart with its default values.
 *
 *   npm run charts     writes them; `charts.test.ts` holds them against a fresh making
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { crdFiles } from '../crd-files.ts'
import { kubeProgram } from '../testbed/kube/kube-binaries.ts'
import { runTool } from '../testbed/run-tool.ts'
import { chartValuesSchema, crdValuesSchema } from './chart-values.ts'
import { controllerDashboard } from './controller-dashboard.ts'

const home = resolve(import.meta.dirname, '../..')
const NAMESPACE = 'weir-system'
export const installManifest = 'manifests/install/controller.yaml'

/** Path -> its text, freshly made. */
export function chartFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  for (const [path, text] of crdFiles()) {
    files.set(path.replace(/^crds/, 'charts/weir-crds/templates'), crdTemplate(path, text))
  }
  files.set('charts/weir-crds/values.schema.json', schemaText(crdValuesSchema))
  files.set('charts/weir/values.schema.json', schemaText(chartValuesSchema))
  files.set('charts/weir/files/controller-dashboard.json', jsonText(controllerDashboard()))
  return files
}

/** Helm never deletes what bears this annotation. */
function crdTemplate(path: string, text: string): string {
  if (text.includes('{{')) throw new Error(`${path} holds what Helm would take for its own`)
  const [first = '', ...rest] = text.split('\n')
  const kept = rest.map(line => {
    if (line !== '  annotations:') return line
    const keep = '    {{- if .Values.keep }}\n    helm.sh/resource-policy: keep\n    {{- end }}'
    return `${line}\n${keep}`
  })
  return [first.replace('npm run crds', 'npm run charts'), ...kept].join('\n')
}

function schemaText(schema: z.ZodType): string {
  return jsonText(z.toJSONSchema(schema, { target: 'draft-7' }))
}

function jsonText(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}

/** The chart with its default values, for who has no Helm. Builds Helm where that was not done. */
export async function renderedInstall(): Promise<string> {
  const helm = join(await kubeProgram('tools'), 'helm')
  const key = ['--set', 'masterKey.existingSecret=weir-master-key']
  const args = ['template', 'weir', join(home, 'charts/weir'), '--namespace', NAMESPACE, ...key]
  const rendered = await runTool(helm, args, { install: '', gives: 'output' })
  const namespace = readFileSync(join(import.meta.dirname, 'install-namespace.yaml'), 'utf8')
  return `${namespace}${rendered}`
}

if (import.meta.main) {
  for (const [path, text] of chartFiles()) writeFileSync(join(home, path), text)
  writeFileSync(join(home, installManifest), await renderedInstall())
}
