/** The few things a sink does with the disk, as a port: tests put a full or broken disk here. */
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface OutputFile {
  write(bytes: Uint8Array): Promise<void>
  /** Everything written is on the disk when this resolves. */
  sync(): Promise<void>
  close(): Promise<void>
}

export interface OutputDisk {
  /** Makes the folders above; fails when the file exists. */
  create(path: string): Promise<OutputFile>
  /** Names made or changed in the folder survive a power failure when this resolves. */
  syncFolder(path: string): Promise<void>
}

export const localDisk: OutputDisk = {
  async create(path) {
    await mkdir(dirname(path), { recursive: true })
    return new LocalFile(await open(path, 'wx'))
  },
  async syncFolder(path) {
    const handle = await open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
}

class LocalFile implements OutputFile {
  readonly #handle: FileHandle

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async write(bytes: Uint8Array): Promise<void> {
    let at = 0
    while (at < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, at, bytes.length - at)
      at += bytesWritten
    }
  }

  sync(): Promise<void> {
    return this.#handle.datasync()
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}
