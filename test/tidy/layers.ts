/** The rooms and their arrows, the homes of packages, and cycles. */
import { isBuiltin } from 'node:module'
import type { Finding, Rule } from './finding.ts'
import type { SourceFile } from './source-file.ts'

const engineRooms = ['api', 'schema', 'graph', 'state', 'checkpoint', 'observability', 'common']
const belowCluster = [...engineRooms, 'runtime', 'protocol', 'storage']
const belowTools = [...belowCluster, 'cluster', 'cep', 'connectors', 'examples']

/** Room -> the rooms it may import. `index` and `testing/index` are what the package exports. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  common: [],
  schema: ['common'],
  protocol: ['common'],
  observability: ['common'],
  storage: ['common'],
  api: ['schema', 'common'],
  graph: ['api', 'schema', 'common'],
  cep: ['api', 'schema', 'common'],
  connectors: ['api', 'schema', 'common', 'storage'],
  state: ['api', 'schema', 'common', 'storage'],
  controller: ['protocol', 'observability', 'common'],
  checkpoint: ['state', 'storage', 'common'],
  examples: ['api', 'cep', 'connectors', 'index'],
  runtime: engineRooms,
  cluster: belowCluster,
  index: ['api', 'cep', 'connectors', 'schema', 'common'],
  cli: [...belowTools, 'testing'],
  testing: belowTools,
  bin: [...belowTools, 'cli', 'controller'],
}

/** Package -> the only folders or files that may import it. */
const packageHomes: Readonly<Record<string, readonly string[]>> = {
  commander: ['src/cli/program.ts', 'src/cli/kubectl/kubectl-program.ts'],
  esbuild: ['src/cli/bundle-job.ts'],
  yaml: ['src/protocol/', 'src/controller/kube/kube-config.ts'],
  undici: ['src/controller/kube/', 'src/controller/link/'],
  pino: ['src/common/logger.ts'],
  croner: ['src/controller/savepoint/savepoint-schedule.ts'],
  'prom-client': ['src/observability/'],
  msgpackr: ['src/schema/'],
  'csv-parse': ['src/connectors/files/'],
  hyparquet: ['src/connectors/'],
  'hyparquet-writer': ['src/connectors/'],
  'hyparquet-compressors': ['src/connectors/'],
  '@aws-sdk/client-s3': ['src/storage/s3/s3-sdk-requests.ts'],
  snappy: ['src/connectors/kafka/compression.ts'],
  'lz4-napi': ['src/connectors/kafka/compression.ts'],
  '@node-rs/crc32': ['src/connectors/kafka/compression.ts'],
  zod: ['src/'],
}

/** Rooms without I/O: what they decide is performed elsewhere. */
const pureRooms = new Set(['api', 'cep', 'graph', 'checkpoint', 'schema'])
/** Built-ins that only compute. */
const pureBuiltins = new Set([
  'assert',
  'buffer',
  'crypto',
  'path',
  'string_decoder',
  'url',
  'util',
  'v8',
  'zlib',
])

export const layers: Rule = files =>
  files.filter(file => !file.isTest).flatMap(file => [...rooms(file), ...packages(file)])

function rooms(file: SourceFile): Finding[] {
  const allowed = mayImport[file.room]
  if (allowed === undefined) {
    const text = `the room ${file.room} is not in the import table: use an existing room`
    return [{ file: file.path, line: 1, text }]
  }
  const findings: Finding[] = []
  for (const { target, line, specifier } of file.imports) {
    if (target === undefined) continue
    const room = (target.split('/')[1] ?? '').replace(/\.ts$/, '')
    if (room === file.room || allowed.includes(room)) continue
    const text = `${file.room} may not import ${room} (${specifier}): it may import ${allowed.join(', ') || 'nothing'}`
    findings.push({ file: file.path, line, text })
  }
  return findings
}

function packages(file: SourceFile): Finding[] {
  const findings: Finding[] = []
  for (const { specifier, target, line } of file.imports) {
    if (target !== undefined) continue
    if (isBuiltin(specifier)) {
      if (pureRooms.has(file.room) && !pureBuiltins.has(specifier.replace('node:', ''))) {
        const text = `${file.room} does no I/O and may not import ${specifier}: pass what it gives in`
        findings.push({ file: file.path, line, text })
      }
      continue
    }
    const name = packageName(specifier)
    const homes = packageHomes[name]
    if (homes?.some(one => file.path.startsWith(one))) continue
    const text = `${name} may be imported in ${homes?.join(', ') ?? 'no file yet'}: go through its home`
    findings.push({ file: file.path, line, text })
  }
  return findings
}

function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

/** No import cycles, type imports included. Each cycle is reported once, at its first file. */
export const cycles: Rule = files => {
  const byPath = new Map(files.map(file => [file.path, file]))
  const state = new Map<string, 'open' | 'done'>()
  const findings: Finding[] = []
  const visit = (file: SourceFile, trail: readonly string[]): void => {
    state.set(file.path, 'open')
    for (const { target, line } of file.imports) {
      const next = target === undefined ? undefined : byPath.get(target)
      if (next === undefined) continue
      if (state.get(next.path) === 'open') {
        const loop = [...trail.slice(trail.indexOf(next.path)), next.path].join(' -> ')
        const text = `import cycle ${loop}: move what both need into a file below them`
        findings.push({ file: file.path, line, text })
      } else if (!state.has(next.path)) visit(next, [...trail, next.path])
    }
    state.set(file.path, 'done')
  }
  for (const file of files) if (!state.has(file.path)) visit(file, [file.path])
  return findings
}
