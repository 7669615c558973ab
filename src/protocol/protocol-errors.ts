/** What can be wrong with the words between a person and Weir. */
import { defineErrors } from '../common/errors.ts'

/** One thing to correct in a manifest. */
export interface ManifestProblem {
  /** As in `spec.checkpoint.interval`; empty for the file as a whole. */
  readonly path: string
  /** From 1; `undefined` when the value came by `--set`. */
  readonly line: number | undefined
  /** What is wrong, with the value and what was expected. */
  readonly problem: string
  /** The corrected line or the step to take. */
  readonly fix: string
}

export const protocolErrors = defineErrors({
  WEIR_MANIFEST_INVALID: {
    domain: 'user',
    retry: 'never',
    message: (e: { file: string; problems: readonly ManifestProblem[] }) =>
      [
        `${e.file} has ${e.problems.length} ${e.problems.length === 1 ? 'error' : 'errors'}`,
        ...e.problems.map(problem => describeProblem(e.file, problem)),
      ].join('\n'),
    next: 'correct what is listed; docs/stream-job.md has every field with its default and bounds',
  },
})

function describeProblem(file: string, { path, line, problem, fix }: ManifestProblem): string {
  const where = line === undefined ? '--set' : `${file}:${line}`
  return `  ${where}  ${path === '' ? '' : `${path}: `}${problem}\n      fix: ${fix}`
}
