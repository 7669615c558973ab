/** What a tidy rule reports, and the exceptions that were granted. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { home, type SourceFile } from './source-file.ts'

export interface Finding {
  readonly file: string
  readonly line: number
  /** What is wrong and what to do instead. */
  readonly text: string
}

/** Looks at every file and reports what breaks the rule. */
export type Rule = (files: readonly SourceFile[]) => readonly Finding[]

export interface TidyException {
  readonly rule: string
  readonly file: string
  /** Part of the finding's text, where the file has several. */
  readonly name?: string
  readonly reason: string
}

/** `tidy/exceptions.json`: every one has a reason, and one that is not needed fails. */
export const exceptions = JSON.parse(
  readFileSync(join(home, 'test/tidy/exceptions.json'), 'utf8'),
) as readonly TidyException[]

export function isExcepted(rule: string, finding: Finding): TidyException | undefined {
  return exceptions.find(
    one => one.rule === rule && one.file === finding.file && finding.text.includes(one.name ?? ''),
  )
}
