/** The errors of the file connector. */
import { defineErrors } from '../../common/errors.ts'

export const fileErrors = defineErrors({
  WEIR_FILE_NOT_FOUND: {
    domain: 'user',
    retry: 'never',
    message: (e: { path: string; folder: string }) =>
      `no such input: ${e.path} (looked for it in ${e.folder})`,
    next: 'correct the path of the file source; relative paths start where the job was started',
  },
  WEIR_FILE_NOT_REPLAYABLE: {
    domain: 'user',
    retry: 'never',
    message: (e: { path: string; kind: string }) =>
      `the input ${e.path} is a ${e.kind}: what was read of it once is gone, and after a failure ` +
      'a job reads its input again',
    next: 'write it to a file first and read that: `command > FILE`, then give FILE',
  },
  WEIR_FILE_PATTERN_EMPTY: {
    domain: 'user',
    retry: 'never',
    message: (e: { path: string; folder: string }) =>
      `no file matches ${e.path} (looked for it in ${e.folder})`,
    next:
      'correct the pattern of the file source, or let it wait for files by the option watch; ' +
      'names that begin with "." or "_" are left out',
  },
  WEIR_FILE_UNREADABLE: {
    domain: 'external',
    retry: 'later',
    message: (e: { path: string; position: string; reason: string }) =>
      `cannot read ${e.path} at ${e.position}: ${e.reason}`,
    next: 'see that the file is whole and readable by this user; the job goes on where it stopped',
  },
  WEIR_FILE_DAMAGED: {
    domain: 'external',
    retry: 'never',
    message: (e: { path: string; position: string; reason: string }) =>
      `${e.path} is damaged at ${e.position}: ${e.reason}`,
    next: 'put a whole copy of the file in its place, then go on with --restore latest',
  },
  WEIR_FILE_TRUNCATED: {
    domain: 'external',
    retry: 'never',
    message: (e: { path: string; expectedBytes: number; actualBytes: number }) =>
      `${e.path} has ${e.actualBytes} bytes, but had ${e.expectedBytes} when it was listed`,
    next: 'put the whole file back; input files must not change while a job reads them',
  },
  WEIR_FILE_RECORD_TOO_LONG: {
    domain: 'external',
    retry: 'never',
    message: (e: { path: string; position: number; limitBytes: number }) =>
      `the record at byte ${e.position} of ${e.path} is longer than ${e.limitBytes} bytes`,
    next: 'see that the file has line ends, and that no quote is left open',
  },
  WEIR_FILE_COLUMN_MISSING: {
    domain: 'user',
    retry: 'never',
    message: (e: { path: string; column: string; found: readonly string[] }) =>
      `${e.path} has no column ${JSON.stringify(e.column)}; it has ${e.found.join(', ')}`,
    next: 'correct the field name in the schema, or make the field optional',
  },
  WEIR_FILE_OPTION_INVALID: {
    domain: 'user',
    retry: 'never',
    message: (e: { option: string; value: string; expected: string }) =>
      `the option ${e.option} of a file source or sink is ${e.value}, expected ${e.expected}`,
    next: 'correct the option',
  },
  WEIR_FILE_OUTPUT_NOT_EMPTY: {
    domain: 'user',
    retry: 'never',
    message: (e: { path: string; file: string }) =>
      `the output folder ${e.path} holds files of an earlier run, such as ${e.file}`,
    next:
      'go on with that run by --restore latest, choose another folder, or set the option ' +
      "onExisting of the file sink to 'replace' or 'append'",
  },
  WEIR_FILE_OUTPUT_IN_USE: {
    domain: 'user',
    retry: 'never',
    message: (e: { path: string }) => `another sink is writing ${e.path}`,
    next: 'give each file sink its own folder or its own prefix',
  },
  WEIR_FILE_PARTITION_INVALID: {
    domain: 'user',
    retry: 'never',
    message: (e: { partition: string }) =>
      `partitionBy of a file sink gave ${e.partition}, which is no path below the folder`,
    next: 'return names divided by single slashes, none of them empty, "." or ".."',
  },
  WEIR_FILE_WRITE_FAILED: {
    domain: 'external',
    retry: 'later',
    message: (e: { path: string; reason: string }) => `cannot write ${e.path}: ${e.reason}`,
    next:
      'make room on the disk, or see to the rights of the folder; nothing is lost, the job goes ' +
      'on from its last checkpoint',
  },
  WEIR_FILE_LOST: {
    domain: 'external',
    retry: 'never',
    message: (e: { path: string; reason: string }) =>
      `the finished part ${e.path} cannot be committed: ${e.reason}`,
    next: 'something else changed the output folder; restore an older checkpoint to write it again',
  },
})

/** What reading ran into: trouble of the system may pass, what is damaged stays so. */
export function readError(
  place: { readonly path: string; readonly position: string },
  error: unknown,
): Error {
  const details = { ...place, reason: reasonOf(error) }
  return error instanceof Error && 'syscall' in error
    ? fileErrors.WEIR_FILE_UNREADABLE(details, error)
    : fileErrors.WEIR_FILE_DAMAGED(details, error)
}

/** What the system said, without a stack: `ENOSPC: no space left on device`. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
