/** What can go wrong before a job runs: files, types, loading. */
import { defineErrors } from '../common/errors.ts'

export const cliErrors = defineErrors({
  WEIR_COMMAND_FILE_UNREADABLE: {
    domain: 'user',
    retry: 'never',
    message: (e: { file: string; reason: string }) => `cannot read ${e.file}: ${e.reason}`,
    next: 'check the path and the permissions of the file',
  },
  WEIR_COMMAND_FILE_UNKNOWN: {
    domain: 'user',
    retry: 'never',
    message: (e: { file: string }) => `${e.file} is neither a manifest nor a job module`,
    next: 'give a StreamJob manifest (.yaml, .yml, .json) or a job module (.ts, .mts, .js, .mjs)',
  },
  WEIR_RESTORE_SAVEPOINT_UNKNOWN: {
    domain: 'user',
    retry: 'never',
    message: (e: { name: string }) =>
      `spec.restore.savepoint is ${e.name}: Savepoints are known on a cluster only`,
    next:
      'give its folder by --restore, or as spec.restore.path: ' +
      'kubectl get savepoints -o wide shows it',
  },
  WEIR_JOB_CONFIG_MAP_MISSING: {
    domain: 'external',
    retry: 'later',
    message: (e: { name: string; key: string; file: string }) =>
      `there is no key ${e.key} in the ConfigMap ${e.name} (looked for as ${e.file})`,
    next:
      'create the ConfigMap in the namespace of the job, or correct spec.job.configMap; for a ' +
      'local run put the code into the folder of WEIR_CONFIG_MAPS as NAME/KEY',
  },
  WEIR_JOB_BUNDLE_KIND: {
    domain: 'user',
    retry: 'never',
    message: (e: { url: string; kind: string }) =>
      `spec.job.bundle.url is ${e.url}: ${e.kind === '' ? 'no extension' : e.kind} is no module`,
    next: 'name one module, .ts, .mts, .js or .mjs; esbuild makes one of several files',
  },
  WEIR_JOB_BUNDLE_LARGE: {
    domain: 'user',
    retry: 'never',
    message: (e: { url: string; bytesMax: number }) => `${e.url} has more than ${e.bytesMax} bytes`,
    next: 'keep data out of the code: a job reads it by a source, or by an argument',
  },
  WEIR_JOB_BUNDLE_DIGEST: {
    domain: 'user',
    retry: 'never',
    message: (e: { url: string; digest: string; found: string }) =>
      `${e.url} is not what spec.job.bundle.digest says: expected ${e.digest}, found ${e.found}`,
    next: 'if the code there is right, write its digest into the manifest; it was not run',
  },
  WEIR_JOB_NOT_FOUND: {
    domain: 'user',
    retry: 'never',
    message: (e: { module: string; folders: readonly string[] }) =>
      `job module ${e.module} is in none of ${e.folders.join(', ')}`,
    next: 'correct spec.job.module: it is relative to the manifest, or to a folder above it',
  },
  WEIR_JOB_TYPE_ERROR: {
    domain: 'user',
    retry: 'never',
    message: (e: { file: string; errors: readonly string[] }) =>
      `${e.file} does not compile\n${e.errors.map(line => `  ${line}`).join('\n')}`,
    next: 'correct the lines above; nothing was started',
  },
  WEIR_JOB_LOAD_FAILED: {
    domain: 'user',
    retry: 'never',
    message: (e: { file: string; where: string; reason: string }) =>
      `${e.file} cannot be loaded: ${e.reason}${atPlace(e.where)}`,
    next: 'a job module has one default export made by job(...), and its top level must not throw',
  },
  WEIR_JOB_BUILD_FAILED: {
    domain: 'user',
    retry: 'never',
    message: (e: { file: string; where: string; reason: string }) =>
      `the builder function of ${e.file} threw ${e.reason}${atPlace(e.where)}`,
    next: 'correct the function given to job(...): it only describes the pipeline, it runs nothing',
  },
  WEIR_SAVEPOINT_UNREADABLE: {
    domain: 'user',
    retry: 'never',
    message: (e: { file: string; reason: string }) =>
      `${e.file} is no checkpoint metadata: ${e.reason}`,
    next: 'give the folder of one checkpoint or savepoint: it holds a file _metadata',
  },
  WEIR_SAVEPOINT_NOT_DISPOSABLE: {
    domain: 'user',
    retry: 'never',
    message: (e: { path: string; reason: string }) => `${e.path} is not disposed of: ${e.reason}`,
    next: 'give the folder of one savepoint; checkpoints go by their job, or by weir purge',
  },
  WEIR_PROCESS_ENDS: {
    domain: 'external',
    retry: 'later',
    message: (e: { name: string; how: string; log: string }) =>
      `the ${e.name} ${e.how} each time it is started; its log is ${e.log}`,
    next: 'see its log; --in-process runs the job without processes of its own',
  },
  WEIR_TESTBED_FAILED: {
    domain: 'external',
    retry: 'later',
    message: (e: { reason: string }) => `the testbed did not come up: ${e.reason}`,
    next: 'see its own words; weir testbed status shows what runs',
  },
  WEIR_TOOL_MISSING: {
    domain: 'user',
    retry: 'never',
    message: (e: { verb: string; file: string }) =>
      `weir ${e.verb} works in a checkout of Weir only: ${e.file} is not here`,
    next: 'clone the repository and run ./weir there',
  },
})

function atPlace(where: string): string {
  return where === '' ? '' : `\n  at ${where}`
}
