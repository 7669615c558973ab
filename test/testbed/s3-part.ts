/** A real S3 server with conditional writes: versitygw over a folder, built from its Go module. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from './free-ports.ts'
import { installOnce } from './install-once.ts'
import type { Part, PartEnvironment, PartOptions } from './part.ts'
import { runTool } from './run-tool.ts'
import { startServer } from './server-process.ts'

const VERSION = '1.8.0'
const INSTALL =
  'install Go 1.26 or newer (https://go.dev/dl), or run an S3 server with conditional writes ' +
  'and name it by WEIR_TESTBED_S3=http://host:port and the AWS_ variables'

const credentials = {
  AWS_ACCESS_KEY_ID: 'testkey',
  AWS_SECRET_ACCESS_KEY: 'testsecret',
  AWS_REGION: 'us-east-1',
}

export const s3Part: Part = {
  name: 's3',
  title: `versitygw ${VERSION}`,
  foundBy: 'WEIR_TESTBED_S3',
  install: async () => void (await binary()),
  start: startS3,
}

/** The module's go.sum pins the digest of every source that goes into the build. */
async function binary(): Promise<string> {
  const source = join(import.meta.dirname, 's3-server')
  const digest = createHash('sha256')
  for (const file of ['main.go', 'go.mod', 'go.sum']) {
    digest.update(readFileSync(join(source, file)))
  }
  const name = `s3-server-${VERSION}-${digest.digest('hex').slice(0, 8)}`
  const folder = await installOnce(name, async draft => {
    const output = join(draft, 's3-server')
    const flags = ['-trimpath', '-mod=readonly', '-ldflags', '-s -w']
    await runTool('go', ['build', ...flags, '-o', output, '.'], {
      cwd: source,
      environment: { GOTOOLCHAIN: 'local', CGO_ENABLED: '0' },
      install: INSTALL,
    })
  })
  return join(folder, 's3-server')
}

async function startS3(options: PartOptions): Promise<PartEnvironment> {
  const { folder, owner, host = '127.0.0.1' } = options
  const server = await binary()
  const data = join(folder, 'data')
  const metadata = join(folder, 'metadata')
  for (const one of [data, metadata]) mkdirSync(one, { recursive: true })
  const port = await portOf(folder)
  const endpoint = `http://${host}:${port}`
  await startServer({
    folder,
    owner,
    command: [server, `${host}:${port}`, data, metadata],
    environment: {
      ROOT_ACCESS_KEY: credentials.AWS_ACCESS_KEY_ID,
      ROOT_SECRET_KEY: credentials.AWS_SECRET_ACCESS_KEY,
    },
    // Unsigned, it is refused: that is an answer.
    isReady: async () => (await (await fetch(endpoint)).text()) !== '',
  })
  return { WEIR_TESTBED_S3: endpoint, AWS_ENDPOINT_URL_S3: endpoint, ...credentials }
}

/** The same after a restart: clients go on. */
async function portOf(folder: string): Promise<number> {
  const file = join(folder, 'port')
  if (!existsSync(file)) writeFileSync(file, String((await freePorts(1))[0]))
  return Number(readFileSync(file, 'utf8'))
}
