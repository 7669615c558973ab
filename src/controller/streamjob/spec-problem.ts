/** What keeps a spec from being deployed, in words; pure. */
import type { ObservedJob, SpecProblem } from './observed-job.ts'

/** `undefined`: it can be deployed. */
export function specProblem(checked: ObservedJob['checked']): SpecProblem | undefined {
  if ('problems' in checked) {
    const texts = checked.problems.map(one => `${one.path.join('.')} ${one.problem}: ${one.fix}`)
    return { reason: 'SpecInvalid', message: texts.join('; ') }
  }
  const { checkpoint, restore } = checked.manifest.spec
  const { fromJob } = restore ?? {}
  const { namespace = 'default' } = checked.manifest.metadata
  if (fromJob !== undefined && !fromJob.startsWith(`${namespace}.`)) {
    const message =
      `spec.restore.fromJob is ${fromJob}: the state of another namespace is not given away; ` +
      `name a job of this one, as ${namespace}.NAME`
    return { reason: 'RestoreForbidden', message }
  }
  const { storage } = checkpoint
  if (storage?.startsWith('s3://') === true) return undefined
  const message =
    `spec.checkpoint.storage is ${storage ?? 'not set'}: the pods of a job share ` +
    'no folder; name a bucket, such as s3://bucket/prefix'
  return { reason: 'StorageNotShared', message }
}
