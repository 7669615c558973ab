/** What the pods that prepare a job need for its code; pure. The controller itself fetches none. */
import type { StreamJobSpec } from '../../protocol/stream-job.ts'
import { namedContainer } from './merge-pod.ts'

type Json = Readonly<Record<string, unknown>>

export interface CodeParts {
  readonly volumes: readonly Json[]
  readonly mounts: readonly Json[]
  readonly env: readonly Json[]
}

const FOLDER = '/var/run/weir/config-maps'

export function codePartsOf({ job }: StreamJobSpec): CodeParts {
  const { configMap } = job
  if (configMap === undefined) return { volumes: [], mounts: [], env: [] }
  const { name } = configMap
  return {
    // One that is missing would keep the pod waiting without a word: this way its process says so.
    volumes: [{ name: 'code', configMap: { name, optional: true } }],
    mounts: [{ name: 'code', mountPath: `${FOLDER}/${name}`, readOnly: true }],
    env: [{ name: 'WEIR_CONFIG_MAPS', value: FOLDER }],
  }
}

/**
 * The part of a jobmanager's template that holds for the container `describe` before it as well: it
 * reads the code from the same bucket, with the same credentials.
 */
export function describerTemplate(template: Json): Json {
  const own = namedContainer(template.spec, 'jobmanager')
  if (own === undefined) return {}
  const shared = ['env', 'envFrom', 'volumeMounts'].filter(field => own[field] !== undefined)
  const fields = shared.map((field): [string, unknown] => [field, own[field]])
  return { spec: { initContainers: [{ name: 'describe', ...Object.fromEntries(fields) }] } }
}
