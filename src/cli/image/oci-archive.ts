/**
 * Writes an image as one archive in the layout of the Open Container Initiative: a gzipped tar for
 * each layer, a configuration, a manifest, an index, each named by its digest. The same files give
 * the same bytes, whenever and by whomever it is built.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createHash, type Hash } from 'node:crypto'
import { createWriteStream, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { imageErrors } from './image-errors.ts'
import { runCommand } from './run-command.ts'

/** What a container of the image is started with, by the names of the specification. */
export interface ImageConfig {
  readonly Entrypoint: readonly string[]
  readonly Cmd?: readonly string[]
  readonly User: string
  readonly WorkingDir?: string
  readonly Env?: readonly string[]
  readonly Labels?: Readonly<Record<string, string>>
}

export interface OciArchiveOptions {
  /** The archive; appears whole or not at all. */
  readonly output: string
  /** The name that a container runtime gives it, with a tag. */
  readonly name: string
  readonly architecture: 'amd64' | 'arm64'
  readonly config: ImageConfig
  /** A folder for each layer, the lowest first. */
  readonly layers: readonly string[]
  /** Emptied before and removed after. */
  readonly workFolder: string
}

export interface OciArchive {
  /** Of the manifest: what a registry would name the image by. */
  readonly digest: string
  readonly archiveBytes: number
  readonly layerBytes: readonly number[]
}

interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

interface Layer extends Descriptor {
  /** Digest of the tar before it was gzipped. */
  readonly diffId: string
}

const mediaTypes = {
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  config: 'application/vnd.oci.image.config.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
}

/** Sorted, without times and owners: nothing of the machine gets in. */
const tarArguments: readonly string[] = [
  ...['--create', '--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'],
  ...['--format=gnu', '--no-xattrs', '--no-selinux', '--no-acls'],
]

export async function writeOciArchive(options: OciArchiveOptions): Promise<OciArchive> {
  const { output, architecture, config, workFolder: folder } = options
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'blobs/sha256'), { recursive: true })
  const layers: Layer[] = []
  for (const layer of options.layers) layers.push(await writeLayer(folder, layer))
  const description = writeJson(folder, mediaTypes.config, {
    architecture,
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: layers.map(layer => layer.diffId) },
  })
  const manifest = writeJson(folder, mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: description,
    layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
  })
  writeIndex(folder, manifest, options)
  mkdirSync(dirname(output), { recursive: true })
  const draft = `${output}.draft`
  const parts = ['oci-layout', 'index.json', 'blobs']
  await runCommand({
    command: 'tar',
    args: [...tarArguments, '--mode=u=rwX,go=rX', '--file', draft, '--directory', folder, ...parts],
    install: installTar,
  })
  renameSync(draft, output)
  rmSync(folder, { recursive: true, force: true })
  return {
    digest: manifest.digest,
    archiveBytes: statSync(output).size,
    layerBytes: layers.map(layer => layer.size),
  }
}

const installTar = 'install GNU tar'

function writeIndex(folder: string, manifest: Descriptor, options: OciArchiveOptions): void {
  const { name, architecture } = options
  const index = {
    schemaVersion: 2,
    manifests: [
      {
        ...manifest,
        platform: { architecture, os: 'linux' },
        annotations: {
          // containerd and Docker take the whole name, others only the tag.
          'io.containerd.image.name': name,
          'org.opencontainers.image.ref.name': name.slice(name.lastIndexOf(':') + 1),
        },
      },
    ],
  }
  writeFileSync(join(folder, 'index.json'), JSON.stringify(index))
  writeFileSync(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
}

async function writeLayer(folder: string, from: string): Promise<Layer> {
  const args = [...tarArguments, '--directory', from, '.']
  const tar = spawn('tar', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = endOf(tar, ['tar', ...args].join(' '))
  const plain = createHash('sha256')
  const packed = createHash('sha256')
  const draft = join(folder, 'blobs/layer')
  const write = pipeline(
    tar.stdout,
    counting(plain),
    createGzip({ level: 6 }),
    counting(packed),
    createWriteStream(draft),
  )
  await Promise.all([ended, write])
  const digest = packed.digest('hex')
  renameSync(draft, join(folder, 'blobs/sha256', digest))
  return {
    mediaType: mediaTypes.layer,
    digest: `sha256:${digest}`,
    size: statSync(join(folder, 'blobs/sha256', digest)).size,
    diffId: `sha256:${plain.digest('hex')}`,
  }
}

function endOf(child: ChildProcessByStdio<null, Readable, Readable>, call: string): Promise<void> {
  let words = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words += text
  })
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void =>
      reject(imageErrors.WEIR_IMAGE_COMMAND_FAILED({ call, reason }))
    child.on('error', error => fail(error.message))
    child.on('close', code => (code === 0 ? resolve() : fail(`ended with ${code}\n${words}`)))
  })
}

/** Lets the bytes through and digests them. */
function counting(hash: Hash): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      done(null, chunk)
    },
  })
}

function writeJson(folder: string, mediaType: string, value: unknown): Descriptor {
  const bytes = Buffer.from(JSON.stringify(value))
  const digest = createHash('sha256').update(bytes).digest('hex')
  writeFileSync(join(folder, 'blobs/sha256', digest), bytes)
  return { mediaType, digest: `sha256:${digest}`, size: bytes.length }
}
