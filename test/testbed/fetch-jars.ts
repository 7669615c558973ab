/** Jars that Kafka publishes, fetched by Maven and held against the digests in `kafka-jars/`. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installOnce } from './install-once.ts'
import { runTool } from './run-tool.ts'
import { TestbedError } from './testbed-error.ts'

export interface Jar {
  readonly group: string
  readonly name: string
  readonly version: string
  /** Without what it depends on itself. */
  readonly alone?: boolean
}

export interface JarSet {
  /** Of the folder, and of the file with the digests. */
  readonly name: string
  readonly jars: readonly Jar[]
  /** What to install where Maven is not there. */
  readonly install: string
}

/** Gives the folder that they are in. */
export async function fetchJars({ name, jars, install }: JarSet): Promise<string> {
  const pins = readFileSync(join(import.meta.dirname, `kafka-jars/${name}.sha256`), 'utf8')
  const digest = createHash('sha256').update(pins).digest('hex').slice(0, 8)
  return installOnce(`${name}-${digest}`, async draft => {
    const pom = join(draft, 'pom.xml')
    writeFileSync(pom, pomOf(name, jars))
    const copy = ['dependency:copy-dependencies', '-DincludeScope=runtime']
    await runTool('mvn', ['-q', '-B', '-f', pom, ...copy, `-DoutputDirectory=${draft}`], {
      install,
    })
    checkJars(draft, pins)
  })
}

function pomOf(set: string, jars: readonly Jar[]): string {
  const all =
    '<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>'
  const dependencies = jars.map(
    ({ group, name, version, alone = false }) =>
      `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId>` +
      `<version>${version}</version>${alone ? all : ''}</dependency>`,
  )
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>weir</groupId><artifactId>${set}</artifactId><version>1</version>
<packaging>pom</packaging><dependencies>${dependencies.join('')}</dependencies></project>
`
}

function checkJars(folder: string, pins: string): void {
  const wanted = new Map(
    pins
      .trim()
      .split('\n')
      .map(line => line.split(/\s+/).toReversed() as [string, string]),
  )
  const found = readdirSync(folder).filter(name => name.endsWith('.jar'))
  for (const name of new Set([...found, ...wanted.keys()])) {
    const file = join(folder, name)
    const digest = existsSync(file)
      ? createHash('sha256').update(readFileSync(file)).digest('hex')
      : 'absent'
    if (digest === wanted.get(name)) continue
    const message = `${name} is ${digest}, expected ${wanted.get(name) ?? 'no such file'}`
    throw new TestbedError(message, 'see where Maven fetched it from')
  }
}
