/** How an error looks in a terminal. */
import { isWeirError } from '../common/errors.ts'

/** Lower errors are followed this far: deeper ones repeat what was said. */
const CAUSES_MAX = 3

/**
 * Code, message and next step of a WeirError; anything else is a defect and shows its stack. A
 * lower error is shown when it says more than the one above it.
 */
export function describeError(error: unknown): string {
  const lines: string[] = []
  if (isWeirError(error)) {
    lines.push(`${error.code}  ${error.message}`, ...causes(error), `  next: ${error.next}`)
  } else if (error instanceof Error) {
    lines.push(`WEIR_INTERNAL  ${error.stack ?? String(error)}`, ...causes(error))
    lines.push('  next: this is a defect of Weir or of the job; report it with the lines above')
  } else {
    lines.push(`WEIR_INTERNAL  ${String(error)}`)
  }
  return `${lines.join('\n')}\n`
}

function causes(error: Error): string[] {
  const lines: string[] = []
  let cause: unknown = error.cause
  while (cause instanceof Error && lines.length < CAUSES_MAX) {
    const isTold = error.message.includes(cause.message)
    if (isWeirError(cause)) {
      if (!isTold) lines.push(`  caused by: ${cause.code}  ${cause.message}`)
    } else if (!isTold || !error.message.includes('\n  at ')) {
      lines.push(`  caused by: ${withFrame(cause)}`)
    }
    cause = cause.cause
  }
  return lines
}

/** With the first line of the stack: where a user function threw. */
function withFrame(error: Error): string {
  const text = `${error.name}: ${error.message}`
  const at = error.stack?.split('\n').find(line => line.trimStart().startsWith('at '))
  return at === undefined ? text : `${text}\n    ${at.trim()}`
}
