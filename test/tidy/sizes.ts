/** Budgets: what fits on a screen is read. */
import type { Finding, Rule } from './finding.ts'
import type { SourceFile, SyntaxNode } from './source-file.ts'

const FUNCTION_LINES_MAX = 70
const FILE_LINES_MAX = 500
const DOOR_LINES_MAX = 49
const COLUMNS_MAX = 100
const PARAMETERS_MAX = 3
const NESTING_MAX = 4
const EXPORTS_MAX = 8

export const fileSizes: Rule = files =>
  files.flatMap(file => {
    const limit = file.room === 'bin' && !file.isTest ? DOOR_LINES_MAX : FILE_LINES_MAX
    const count = file.lines.length - 1
    if (count <= limit) return []
    const text = `${count} lines, at most ${limit}: split it by what the parts own`
    return [{ file: file.path, line: limit, text }]
  })

export const lineWidths: Rule = files =>
  files
    .filter(file => !file.isTest)
    .flatMap(file =>
      file.lines.flatMap((line, index) => {
        if (line.length <= COLUMNS_MAX) return []
        const text = `${line.length} columns, at most ${COLUMNS_MAX}: break it`
        return [{ file: file.path, line: index + 1, text }]
      }),
    )

/** Contracts are lists of types by nature, and so are the package's own index files. */
export const exportCounts: Rule = files =>
  files.flatMap(file => {
    const values = file.exports.filter(one => !one.isType)
    if (file.isTest || file.path.endsWith('index.ts') || values.length <= EXPORTS_MAX) return []
    const text = `${values.length} exported values, at most ${EXPORTS_MAX}: split the file`
    return [{ file: file.path, line: 1, text }]
  })

const functionKinds = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ClassMethod',
  'PrivateMethod',
  'Constructor',
  'MethodProperty',
])

export const functionSizes: Rule = files =>
  files.flatMap(file =>
    file.nodes
      .filter(node => functionKinds.has(node.type))
      .flatMap(node => functionFindings(file, node)),
  )

function functionFindings(file: SourceFile, node: SyntaxNode): Finding[] {
  const findings: Finding[] = []
  const line = file.lineOf(node)
  const report = (text: string): void => void findings.push({ file: file.path, line, text })
  const code = (node.function ?? node) as SyntaxNode
  const count = file.endLineOf(node) - line + 1
  // The body of describe() is a list of tests, not a function that anyone reads whole.
  if (count > FUNCTION_LINES_MAX && !file.isTest) {
    report(`a function of ${count} lines, at most ${FUNCTION_LINES_MAX}: name its parts`)
  }
  const parameters = ((code.params ?? code.parameters) as readonly unknown[] | undefined) ?? []
  // A method of an object literal has the shape of the contract it fills, as user functions do.
  const isOwnShape = node.type !== 'MethodProperty' && file.room !== 'examples'
  if (parameters.length > PARAMETERS_MAX && isOwnShape) {
    report(`${parameters.length} parameters, at most ${PARAMETERS_MAX}: take an options object`)
  }
  const depth = nesting(code.body as SyntaxNode | undefined)
  if (depth > NESTING_MAX) {
    report(`nested ${depth} deep, at most ${NESTING_MAX}: return early or name the inner part`)
  }
  return findings
}

const nestingKinds = new Set([
  'IfStatement',
  'ForStatement',
  'ForOfStatement',
  'ForInStatement',
  'WhileStatement',
  'DoWhileStatement',
  'SwitchStatement',
  'TryStatement',
])

/** Statements inside statements of one function; `else if` is one level, inner functions count apart. */
function nesting(node: unknown): number {
  if (Array.isArray(node)) return Math.max(0, ...node.map(nesting))
  if (typeof node !== 'object' || node === null) return 0
  const syntax = node as SyntaxNode
  if (functionKinds.has(syntax.type) || syntax.type === 'ClassExpression') return 0
  const own = nestingKinds.has(syntax.type) ? 1 : 0
  let inner = 0
  for (const [key, value] of Object.entries(syntax)) {
    if (key === 'span') continue
    const isElseIf = key === 'alternate' && (value as SyntaxNode | null)?.type === 'IfStatement'
    inner = Math.max(inner, nesting(value) - (isElseIf ? 1 : 0))
  }
  return own + inner
}

/** Every file says in its tree only what TypeScript can strip. */
export const syntaxBans: Rule = files =>
  files.flatMap(file => {
    const findings: Finding[] = []
    for (const node of file.nodes) {
      const text = bannedSyntax(node, file)
      if (text !== undefined) findings.push({ file: file.path, line: file.lineOf(node), text })
    }
    return findings
  })

function bannedSyntax(node: SyntaxNode, file: SourceFile): string | undefined {
  switch (node.type) {
    case 'TsKeywordType':
      return node.kind === 'any' ? 'the type any: write unknown and narrow it' : undefined
    case 'TsEnumDeclaration':
      return 'an enum: write a union of string literals'
    case 'TsParameterProperty':
      return 'a parameter property: declare the field'
    case 'TsModuleDeclaration':
      return 'a namespace: a file is one already'
    case 'ExportDefaultDeclaration':
    case 'ExportDefaultExpression':
      // The shape of a job module.
      if (file.room === 'examples' || file.path.includes('/fixtures/')) return undefined
      return 'a default export: export by name'
    default:
      return undefined
  }
}
