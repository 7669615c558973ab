/** What may be touched only in its home: the clock, randomness, the process, the console. */
import type { Finding, Rule } from './finding.ts'
import type { SourceFile, SyntaxNode } from './source-file.ts'

interface Ban {
  /** `object.member`, a called name, or `new Name` without arguments. */
  readonly what: string
  readonly homes: readonly string[]
  readonly instead: string
}

const clock = { homes: ['src/common/clock.ts'], instead: 'take a Clock (common/clock.ts)' }
const random = { homes: ['src/common/random.ts'], instead: 'take a Random (common/random.ts)' }
const door = { homes: ['src/bin/'], instead: 'take it as a value from bin/' }
const speech = { homes: ['src/bin/'], instead: 'use the Logger, or the io that the verb was given' }
const code = {
  homes: ['src/common/clone-function.ts', 'src/schema/source-builder.ts'],
  instead: 'use cloneFunction (common) or the source builder (schema)',
}

const bans: readonly Ban[] = [
  { what: 'Date.now', ...clock },
  { what: 'performance.now', ...clock },
  { what: 'setTimeout', ...clock },
  { what: 'setInterval', ...clock },
  { what: 'new Date', ...clock },
  { what: 'setImmediate', homes: ['src/runtime/'], instead: 'let the task loop yield' },
  { what: 'Math.random', ...random },
  { what: 'crypto.randomUUID', ...random },
  { what: 'randomUUID', ...random },
  { what: 'process.env', ...door },
  { what: 'process.exit', ...door },
  { what: 'process.exitCode', ...door },
  { what: 'process.on', ...door },
  { what: 'process.argv', ...door },
  { what: 'process.cwd', ...door },
  { what: 'process.stdout', ...door },
  { what: 'process.stderr', ...door },
  { what: 'console.*', ...speech },
  { what: 'new Function', ...code },
  { what: 'eval', ...code },
]

const banOf = new Map(bans.map(ban => [ban.what, ban]))

export const homeBans: Rule = files =>
  files.filter(file => !file.isTest).flatMap(file => findingsOf(file))

function findingsOf(file: SourceFile): Finding[] {
  const findings: Finding[] = []
  for (const node of file.nodes) {
    const ban = namesOf(node)
      .map(name => banOf.get(name))
      .find(one => one !== undefined)
    if (ban === undefined || ban.homes.some(one => file.path.startsWith(one))) continue
    const text = `${ban.what} belongs to ${ban.homes.join(', ')}: ${ban.instead}`
    findings.push({ file: file.path, line: file.lineOf(node), text })
  }
  return findings
}

function namesOf(node: SyntaxNode): string[] {
  if (node.type === 'MemberExpression') {
    const object = identifier(node.object)
    const member = identifier(node.property)
    return object === undefined ? [] : [`${object}.${member}`, `${object}.*`]
  }
  const callee = identifier(node.callee)
  if (callee === undefined) return []
  if (node.type === 'CallExpression') return [callee]
  if (node.type !== 'NewExpression') return []
  const given = (node.arguments as readonly unknown[] | undefined) ?? []
  // A date made of a number reads no clock.
  return callee === 'Date' && given.length > 0 ? [] : [`new ${callee}`]
}

function identifier(node: unknown): string | undefined {
  const syntax = node as SyntaxNode | undefined
  return syntax?.type === 'Identifier' ? String(syntax.value) : undefined
}

interface TextBan {
  readonly pattern: RegExp
  readonly text: string
}

/** Written so that this list does not find itself. */
const textBans: readonly TextBan[] = [
  { pattern: /@ts-(ignore|nocheck)/, text: 'a silenced type error: mend the type' },
  { pattern: new RegExp('FIX' + 'ME'), text: 'unfinished work: finish it or file an issue' },
  { pattern: new RegExp('TO' + 'DO(?! #\\d)'), text: 'unfinished work without an issue number' },
  {
    pattern: /(^|['"`\s(])\/(home|root|work|Users)\//,
    text: 'an absolute path: derive it from the file or take it as an option',
  },
]

const testBans: readonly TextBan[] = [
  { pattern: /\b(test|describe|it)\.only\b/, text: 'leaves the other tests out: remove .only' },
  { pattern: /\b(fdescribe|fit|xit|xtest|xdescribe)\(/, text: 'leaves tests out: use test' },
]

export const textual: Rule = files =>
  files.flatMap(file => {
    const wanted = file.isTest ? [...textBans, ...testBans] : textBans
    if (file.path.startsWith('test/tidy/')) return []
    return file.lines.flatMap((line, index) =>
      wanted
        .filter(({ pattern }) => pattern.test(line))
        .map(({ text }) => ({ file: file.path, line: index + 1, text })),
    )
  })
