/** Jars from Maven's registry with all that they need, each held against its checksum. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installOnce } from './install-once.ts'
import { runTool } from './run-tool.ts'
import { TestbedError } from './testbed-error.ts'

const INSTALL =
  'install a Java runtime from 17 on and Maven (Debian: apt-get install default-jre-headless ' +
  'maven), or run a broker and name it by WEIR_TESTBED_KAFKA=host:port'

export interface MavenJarsOptions {
  /** Of the folder in the cache. */
  readonly name: string
  /** Group, name, version. */
  readonly artifacts: readonly (readonly [string, string, string])[]
  /** A line for each jar: checksum and file. */
  readonly pins: string
}

export interface MavenJars {
  readonly folder: string
  /** What to install where Java or Maven is not there. */
  readonly install: string
}

export async function mavenJars({ name, artifacts, pins }: MavenJarsOptions): Promise<MavenJars> {
  const digest = createHash('sha256').update(pins).digest('hex').slice(0, 8)
  const folder = await installOnce(`${name}-${digest}`, async draft => {
    const pom = join(draft, 'pom.xml')
    writeFileSync(pom, pomOf(artifacts))
    const copy = ['dependency:copy-dependencies', '-DincludeScope=runtime']
    await runTool('mvn', ['-q', '-B', '-f', pom, ...copy, `-DoutputDirectory=${draft}`], {
      install: INSTALL,
    })
    checkJars(draft, pins)
  })
  return { folder, install: INSTALL }
}

function pomOf(artifacts: MavenJarsOptions['artifacts']): string {
  const dependencies = artifacts.map(
    ([group, name, number]) =>
      `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId>` +
      `<version>${number}</version></dependency>`,
  )
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>weir</groupId><artifactId>testbed-jars</artifactId><version>1</version>
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
