/** `weir image build`: Weir's image as an archive, without Docker and without a registry. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { cliErrors } from './cli-errors.ts'
import { type CliIo, exitCodes } from './cli-io.ts'
import { formatBytes } from './format-bytes.ts'
import { imageConfig } from './image/image-config.ts'
import { type OciArchive, writeOciArchive } from './image/oci-archive.ts'
import { runCommand } from './image/run-command.ts'
import { stageImage } from './image/stage-image.ts'
import { findInstallation, type Installation } from './installation.ts'

export interface ImageOptions {
  readonly output?: string
  /** The image's name with a tag. */
  readonly tag?: string
  /** Only the files, a folder for each layer: what the Dockerfile copies. */
  readonly stage?: string
  readonly json?: boolean
}

export async function buildImage(options: ImageOptions, io: CliIo): Promise<number> {
  const installation = findInstallation()
  const { home, version } = installation
  const lockFile = join(home, 'package-lock.json')
  if (!existsSync(lockFile)) {
    throw cliErrors.WEIR_TOOL_MISSING({ verb: 'image build', file: lockFile })
  }
  await buildWhole(installation, io)
  const folder = mkdtempSync(join(tmpdir(), 'weir-image-'))
  try {
    const stage = {
      home,
      architecture: process.arch === 'arm64' ? ('arm64' as const) : ('amd64' as const),
      cacheFolder: io.config.cacheFolder,
      folder: options.stage === undefined ? join(folder, 'stage') : resolve(io.cwd, options.stage),
    }
    io.err.write('weir: laying out the files of the image\n')
    const staged = await stageImage(stage)
    if (options.stage !== undefined) return exitCodes.ok
    const name = options.tag ?? `localhost/weir:${version}`
    const output = resolve(io.cwd, options.output ?? `weir-${version}.oci.tar`)
    io.err.write('weir: packing them\n')
    const archive = await writeOciArchive({
      output,
      name,
      architecture: stage.architecture,
      config: imageConfig(version, staged.libraries),
      layers: staged.layers,
      workFolder: join(folder, 'layout'),
    })
    io.out.write(
      options.json === true ? inJson(output, name, archive) : inWords(output, name, archive),
    )
    return exitCodes.ok
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** With the declarations: jobs are checked against them. */
async function buildWhole({ home }: Installation, io: CliIo): Promise<void> {
  const args = [join(home, 'scripts/build.mjs')]
  await runCommand({ command: io.nodePath, args, cwd: home, install: 'install Node.js' })
}

function inWords(output: string, name: string, { digest, archiveBytes }: OciArchive): string {
  return `${name}  ${digest}\n${output}  ${formatBytes(archiveBytes)}\n`
}

function inJson(output: string, name: string, archive: OciArchive): string {
  return `${JSON.stringify({ name, output, ...archive })}\n`
}
