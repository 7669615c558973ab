/**
 * A source file as the tidy rules see it: text, imports, exports and functions, found by swc (the
 * TypeScript compiler has no stable API to ask).
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseSync } from '@swc/core'

export const home = resolve(import.meta.dirname, '../..')

/** Any node of the syntax tree. */
export interface SyntaxNode {
  readonly type: string
  readonly span?: { readonly start: number; readonly end: number }
  readonly [key: string]: unknown
}

export interface Import {
  readonly line: number
  /** As written. */
  readonly specifier: string
  /** From the home folder, as in `src/api/sink.ts`; `undefined` for packages and built-ins. */
  readonly target: string | undefined
}

export interface Export {
  readonly line: number
  readonly name: string
  readonly isType: boolean
  readonly hasDocstring: boolean
}

export class SourceFile {
  /** From the home folder. */
  readonly path: string
  readonly text: string
  readonly lines: readonly string[]
  readonly tree: SyntaxNode
  /** The tree as a list, parents first. */
  readonly nodes: readonly SyntaxNode[]
  readonly imports: readonly Import[]
  readonly exports: readonly Export[]
  readonly #lineStarts: readonly number[]

  constructor(path: string) {
    this.path = path
    this.text = readFileSync(join(home, path), 'utf8')
    this.lines = this.text.split('\n')
    this.tree = parseSync(this.text, {
      syntax: 'typescript',
      target: 'es2023',
    }) as unknown as SyntaxNode
    this.#lineStarts = lineStarts(this.lines)
    const nodes: SyntaxNode[] = []
    flatten(this.tree, nodes)
    this.nodes = nodes
    const body = this.tree.body as readonly SyntaxNode[]
    const dynamic = nodes.filter(isDynamicImport)
    this.imports = [
      ...body.flatMap(node => this.#importOf(node, node.source as SyntaxNode | undefined)),
      ...dynamic.flatMap(node => this.#importOf(node, firstArgument(node))),
    ]
    this.exports = body.flatMap(node => this.#exportsOf(node))
  }

  /** `src/api/windows/x.ts` is in the room `api`; `src/index.ts` in `index`. */
  get room(): string {
    return (this.path.split('/')[1] ?? '').replace(/\.ts$/, '')
  }

  get isTest(): boolean {
    return this.path.startsWith('test/')
  }

  lineOf(node: SyntaxNode): number {
    return this.#lineAt(node.span?.start ?? 1)
  }

  endLineOf(node: SyntaxNode): number {
    return this.#lineAt((node.span?.end ?? 1) - 1)
  }

  /** swc counts bytes from 1. */
  #lineAt(position: number): number {
    const starts = this.#lineStarts
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] as number) <= position - 1) low = middle
      else high = middle - 1
    }
    return low + 1
  }

  #importOf(node: SyntaxNode, source: SyntaxNode | undefined): Import[] {
    if (source?.type !== 'StringLiteral') return []
    const specifier = String(source.value)
    const isRelative = specifier.startsWith('.')
    const target = isRelative ? join(dirname(this.path), specifier) : weirEntries.get(specifier)
    return [{ line: this.lineOf(node), specifier, target }]
  }

  #exportsOf(node: SyntaxNode): Export[] {
    const line = this.lineOf(node)
    const hasDocstring = (this.lines[line - 2] ?? '').trimEnd().endsWith('*/')
    if (node.type === 'ExportDeclaration') {
      const declaration = node.declaration as SyntaxNode
      const isType = declaration.type.startsWith('Ts')
      return declaredNames(declaration).map(name => ({ line, name, isType, hasDocstring }))
    }
    if (node.type === 'ExportNamedDeclaration') {
      return (node.specifiers as readonly SyntaxNode[]).map(specifier => {
        const name = (specifier.exported ?? specifier.orig ?? specifier.name) as SyntaxNode
        return { line, name: String(name.value), isType: true, hasDocstring: true }
      })
    }
    return []
  }
}

const weirEntries = new Map([
  ['weir', 'src/index.ts'],
  ['weir/testing', 'src/testing/index.ts'],
])

let loaded: readonly SourceFile[] | undefined

/** Every TypeScript file of `src/` and `test/`, parsed once. */
export function sourceFiles(): readonly SourceFile[] {
  loaded ??= globSync('{src,test}/**/*.ts', { cwd: home })
    .toSorted()
    .map(path => new SourceFile(path))
  return loaded
}

/** Puts the node and every one below it into the list, parents first. */
function flatten(node: object, into: SyntaxNode[]): void {
  if ('type' in node && typeof node.type === 'string') into.push(node as SyntaxNode)
  for (const key in node) {
    if (key === 'span') continue
    const value: unknown = (node as Record<string, unknown>)[key]
    // Lists, and the wrappers around arguments and parameters, have no type of their own.
    if (typeof value === 'object' && value !== null) flatten(value, into)
  }
}

function isDynamicImport(node: SyntaxNode): boolean {
  return node.type === 'CallExpression' && (node.callee as SyntaxNode).type === 'Import'
}

function firstArgument(node: SyntaxNode): SyntaxNode | undefined {
  const [first] = node.arguments as readonly { expression: SyntaxNode }[]
  return first?.expression
}

function declaredNames(declaration: SyntaxNode): string[] {
  const identifiers =
    declaration.type === 'VariableDeclaration'
      ? (declaration.declarations as readonly SyntaxNode[]).map(one => one.id as SyntaxNode)
      : [(declaration.identifier ?? declaration.id) as SyntaxNode]
  return identifiers.filter(one => one?.type === 'Identifier').map(one => String(one.value))
}

function lineStarts(lines: readonly string[]): number[] {
  const starts: number[] = []
  let at = 0
  for (const line of lines) {
    starts.push(at)
    at += Buffer.byteLength(line) + 1
  }
  return starts
}
