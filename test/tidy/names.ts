/** Names of files, headers of core files, docstrings of the public API, and what nobody uses. */
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Finding, Rule } from './finding.ts'
import { home, type SourceFile } from './source-file.ts'

const coreRooms = new Set(['runtime', 'checkpoint', 'state', 'cluster'])
const publicRooms = new Set(['api', 'cep', 'connectors', 'testing'])

export const fileNames: Rule = files =>
  files.flatMap(file => {
    const name = basename(file.path).replace(/\.(test|bench)?\.?ts$/, '')
    const findings: Finding[] = []
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) {
      findings.push({ file: file.path, line: 1, text: 'file names are kebab-case' })
    }
    if (/(^|\/)(utils?|helpers?|lib|types|misc)(\/|\.ts$)/.test(file.path)) {
      findings.push({ file: file.path, line: 1, text: 'name it after what it owns' })
    }
    const [only, ...others] = file.exports
    const isEntryFile = isEntry(file) || only === undefined || others.length > 0
    if (!isEntryFile && !matches(name, only.name)) {
      const text = `its one export is ${only.name}: name the file after it`
      findings.push({ file: file.path, line: only.line, text })
    }
    return findings
  })

/** `bounded-queue` and `BoundedQueue`; a verb before (`makeLogger`) or a part is near enough. */
function matches(file: string, name: string): boolean {
  const plainFile = file.replaceAll('-', '')
  const plainName = name.replaceAll('_', '').toLowerCase()
  return plainName.includes(plainFile) || plainFile.includes(plainName)
}

export const headers: Rule = files =>
  files
    .filter(file => !file.isTest && coreRooms.has(file.room) && !isIntroduced(file))
    .filter(file => file.lines.length > HEADER_LINES_MIN)
    .map(file => {
      const text = 'a core file begins with a comment, over or right under its imports'
      return { file: file.path, line: 1, text }
    })

/** A shorter file is read at a glance: its names may say it all. */
const HEADER_LINES_MIN = 60

function isIntroduced(file: SourceFile): boolean {
  return file.text.replace(/^(import [^;]*? from '.*'|import '.*')\n+/gm, '').startsWith('/**')
}

const invariantLine = /^ \* +([A-Z]{1,2}\d+) {2}\S/

/** A numbered invariant is named where it is asserted, or by the test that holds it. */
export const invariants: Rule = files => {
  const findings: Finding[] = []
  for (const file of files.filter(one => !one.isTest)) {
    const room = `${file.path.split('/').slice(1, 2).join('/')}/`
    const others = files.filter(
      one => one.path.startsWith(`src/${room}`) || one.path.startsWith(`test/${room}`),
    )
    for (const [index, line] of file.lines.entries()) {
      const label = invariantLine.exec(line)?.[1]
      if (label === undefined) continue
      const named = new RegExp(`['"\`(]([^'"\`]*\\b)?${label}\\b`)
      const isHeld = others.some(one =>
        one.lines.some((text, at) => (one !== file || at !== index) && named.test(text)),
      )
      if (isHeld) continue
      const text = `invariant ${label} is named by no assert and no test of its room`
      findings.push({ file: file.path, line: index + 1, text })
    }
  }
  return findings
}

/** What users import: the names that the package's index files hand on. */
export const docstrings: Rule = files => {
  const indexes = files.filter(file => /^src\/(testing\/)?index\.ts$/.test(file.path))
  const whole = new Set(
    indexes.flatMap(file =>
      file.nodes
        .filter(node => node.type === 'ExportAllDeclaration')
        .flatMap(node => file.imports.filter(one => one.line === file.lineOf(node)))
        .map(one => one.target),
    ),
  )
  const shown = new Set([
    ...indexes.flatMap(file => file.exports.map(one => one.name)),
    ...files
      .filter(file => whole.has(file.path))
      .flatMap(file => file.exports.map(one => one.name)),
  ])
  return files
    .filter(file => !file.isTest && publicRooms.has(file.room))
    .flatMap(file =>
      file.exports
        .filter(one => !one.hasDocstring && shown.has(one.name))
        .map(({ line, name }) => {
          return { file: file.path, line, text: `${name} is public: say what it means` }
        }),
    )
}

/** Read in this order by a newcomer. */
const readingOrder = [
  'ARCHITECTURE.md',
  'src/examples/word-count.ts',
  'src/api/data-stream.ts',
  'src/graph/job-graph.ts',
  'src/runtime/stream-task.ts',
  'src/runtime/checkpointing/barrier-handler.ts',
  'src/checkpoint/checkpoint-coordinator.ts',
  'src/controller/streamjob/job-policies.ts',
]

export const readingOrderExists: Rule = () =>
  readingOrder
    .filter(file => !existsSync(join(home, file)))
    .map(file => ({ file, line: 1, text: 'is in the reading order but does not exist' }))

/** Entry points: started, exported, or named by a manifest or a test. */
function isEntry(file: SourceFile): boolean {
  const isDoor = file.room === 'bin' || file.room === 'examples'
  return file.isTest || isDoor || file.path.endsWith('/index.ts')
}

/** Files that no chain of imports from an entry point reaches. A test alone keeps nothing alive. */
export const deadFiles: Rule = files => {
  const byPath = new Map(files.map(file => [file.path, file]))
  const alive = new Set<string>()
  const open = files.filter(file => isEntry(file) && !file.isTest)
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (alive.has(file.path)) continue
    alive.add(file.path)
    for (const { target } of file.imports) {
      const next = target === undefined ? undefined : byPath.get(target)
      if (next !== undefined) open.push(next)
    }
  }
  return files
    .filter(file => !file.isTest && !alive.has(file.path))
    .map(file => ({ file: file.path, line: 1, text: 'nobody imports it: use it or remove it' }))
}

/** Exported values that no other file names; types belong to the signatures they stand in. */
export const deadExports: Rule = files => {
  const words = new Map(files.map(file => [file, new Set(file.text.match(/[A-Za-z_$][\w$]*/g))]))
  return files
    .filter(file => !isEntry(file))
    .flatMap(file =>
      file.exports
        .filter(({ name, isType }) => {
          const isKept = isType || name.endsWith('Errors')
          return !isKept && !files.some(other => other !== file && words.get(other)?.has(name))
        })
        .map(({ line, name }) => {
          return { file: file.path, line, text: `nobody uses ${name}: drop the export` }
        }),
    )
}

/** Errors that are declared and never made. */
export const deadErrors: Rule = files => {
  const sources = files.filter(file => !file.isTest)
  const uses = new Map<string, number>()
  for (const file of sources) {
    for (const code of file.text.match(/\.(WEIR_[A-Z0-9_]+)/g) ?? []) {
      uses.set(code.slice(1), (uses.get(code.slice(1)) ?? 0) + 1)
    }
  }
  return sources.flatMap(file =>
    file.lines.flatMap((line, index) => {
      const code = /^ {2}(WEIR_[A-Z0-9_]+): \{/.exec(line)?.[1]
      if (code === undefined || uses.has(code)) return []
      return [{ file: file.path, line: index + 1, text: `${code} is never raised: remove it` }]
    }),
  )
}

/** Each file of a core room that holds code is imported by a test. */
export const testMirror: Rule = files => {
  const tested = new Set(
    files.filter(file => file.isTest).flatMap(file => file.imports.map(one => one.target)),
  )
  return files
    .filter(file => !file.isTest && coreRooms.has(file.room))
    .filter(file => file.exports.some(one => !one.isType) && !tested.has(file.path))
    .map(file => {
      const text = `no test imports it: add ${file.path.replace('src/', 'test/').replace('.ts', '.test.ts')}`
      return { file: file.path, line: 1, text }
    })
}
