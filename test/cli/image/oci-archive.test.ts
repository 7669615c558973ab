import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import { imageConfig } from '../../../src/cli/image/image-config.ts'
import { writeOciArchive } from '../../../src/cli/image/oci-archive.ts'
import { runCommand } from '../../../src/cli/image/run-command.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-oci-'))

/** The same files, made in another order and at another time. */
function layerAt(name: string, files: readonly string[], seconds: number): string {
  const layer = join(folder, name)
  for (const file of files) {
    mkdirSync(join(layer, 'opt'), { recursive: true })
    writeFileSync(join(layer, 'opt', file), `content of ${file}`)
    utimesSync(join(layer, 'opt', file), seconds, seconds)
    chmodSync(join(layer, 'opt', file), 0o644)
  }
  return layer
}

async function archiveOf(name: string, layer: string): Promise<string> {
  const output = join(folder, `${name}.oci.tar`)
  await writeOciArchive({
    output,
    name: 'localhost/weir:1.2.3',
    architecture: 'amd64',
    config: { Entrypoint: ['/run'], User: '1:1' },
    layers: [layer],
    workFolder: join(folder, `${name}-work`),
  })
  return output
}

function memberOf(archive: string, member: string): Buffer {
  return spawnSync('tar', ['--extract', '--to-stdout', '--file', archive, member]).stdout
}

test('the same files give the same bytes', async () => {
  const first = await archiveOf('first', layerAt('a', ['one', 'two'], 1_000))
  const second = await archiveOf('second', layerAt('b', ['two', 'one'], 2_000_000))
  expect(readFileSync(first).equals(readFileSync(second))).toBe(true)
  const other = await archiveOf('other', layerAt('c', ['one', 'three'], 1_000))
  expect(readFileSync(first).equals(readFileSync(other))).toBe(false)
})

test('index, manifest, configuration and layer name each other by their digests', async () => {
  const archive = await archiveOf('linked', layerAt('d', ['one'], 1_000))
  const read = (digest: string): Buffer => {
    const bytes = memberOf(archive, `blobs/${digest.replace(':', '/')}`)
    expect(`sha256:${createHash('sha256').update(bytes).digest('hex')}`).toBe(digest)
    return bytes
  }
  const index = JSON.parse(memberOf(archive, 'index.json').toString())
  const [entry] = index.manifests
  expect(entry.annotations['io.containerd.image.name']).toBe('localhost/weir:1.2.3')
  expect(entry.annotations['org.opencontainers.image.ref.name']).toBe('1.2.3')
  const manifest = JSON.parse(read(entry.digest).toString())
  const config = JSON.parse(read(manifest.config.digest).toString())
  expect(config.config).toEqual({ Entrypoint: ['/run'], User: '1:1' })
  const layer = read(manifest.layers[0].digest)
  expect(layer).toHaveLength(manifest.layers[0].size)
  const plain = createHash('sha256').update(gunzipSync(layer)).digest('hex')
  expect(config.rootfs.diff_ids).toEqual([`sha256:${plain}`])
})

test('a layer that is not there is an error, and leaves no archive', async () => {
  await expect(archiveOf('none', join(folder, 'absent'))).rejects.toThrow('tar')
  expect(() => readFileSync(join(folder, 'none.oci.tar'))).toThrow('ENOENT')
})

test('a command that is missing or fails says what to do', async () => {
  const missing = runCommand({ command: 'weir-no-such', args: [], install: 'install it' })
  await expect(missing).rejects.toMatchObject({
    code: 'WEIR_IMAGE_COMMAND_MISSING',
    next: expect.stringContaining('install it'),
  })
  const failing = runCommand({ command: 'sh', args: ['-c', 'echo why; exit 3'], install: '' })
  await expect(failing).rejects.toThrow('ended with 3\nwhy')
})

test('the Dockerfile starts a container as the archive does', () => {
  const dockerfile = readFileSync(resolve(import.meta.dirname, '../../../Dockerfile'), 'utf8')
  const said = (word: string): string =>
    new RegExp(`^${word} (.*)$`, 'm').exec(dockerfile.split('FROM scratch')[1] ?? '')?.[1] ?? ''
  const config = imageConfig('1.2.3', [])
  expect(JSON.parse(said('ENTRYPOINT'))).toEqual(config.Entrypoint)
  expect(said('USER')).toBe(config.User)
  expect(said('WORKDIR')).toBe(config.WorkingDir)
  expect(said('ENV').split(' ')).toEqual(config.Env)
})
