/**
 * Makes finished parts visible by giving them their names. A rename is atomic; done before, it is
 * recognised by the file under the final name, so that committing again changes nothing.
 */
import { rename, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { CommitRequest, Committer } from '../../api/sink.ts'
import { fileErrors, reasonOf } from './file-errors.ts'
import type { FileCommittable } from './file-sink-writer.ts'
import type { OutputDisk } from './output-file.ts'
import { inProgressName } from './part-name.ts'

export class FileCommitter implements Committer<FileCommittable> {
  readonly #disk: OutputDisk

  constructor(disk: OutputDisk) {
    this.#disk = disk
  }

  async commit(requests: readonly CommitRequest<FileCommittable>[]): Promise<void> {
    const renamed = new Map<string, CommitRequest<FileCommittable>[]>()
    for (const request of requests) {
      const target = join(request.committable.folder, request.committable.file)
      try {
        if (!(await commitPart(target, request))) continue
        const folder = dirname(target)
        renamed.set(folder, [...(renamed.get(folder) ?? []), request])
      } catch (error) {
        const details = { path: target, reason: reasonOf(error) }
        request.retryLater(fileErrors.WEIR_FILE_WRITE_FAILED(details, error))
      }
    }
    for (const [folder, committed] of renamed) await this.#sync(folder, committed)
  }

  close(): void {}

  /** Until the folder is durable the names may vanish with the power: then they are tried again. */
  async #sync(folder: string, requests: readonly CommitRequest<FileCommittable>[]): Promise<void> {
    try {
      await this.#disk.syncFolder(folder)
    } catch (error) {
      const cause = fileErrors.WEIR_FILE_WRITE_FAILED(
        { path: folder, reason: reasonOf(error) },
        error,
      )
      for (const request of requests) request.retryLater(cause)
    }
  }
}

/** True when the part has its final name now; otherwise the request was told what became of it. */
async function commitPart(
  target: string,
  request: CommitRequest<FileCommittable>,
): Promise<boolean> {
  const { bytes } = request.committable
  const hidden = join(dirname(target), inProgressName(basename(target)))
  const hiddenBytes = await sizeOf(hidden)
  if (hiddenBytes === bytes) {
    await rename(hidden, target)
    return true
  }
  if (hiddenBytes !== undefined) {
    const reason = `it has ${hiddenBytes} bytes, ${bytes} were written`
    request.failed(fileErrors.WEIR_FILE_LOST({ path: hidden, reason }))
    return false
  }
  const targetBytes = await sizeOf(target)
  // A crash may have come between the rename and its becoming durable: the folder is synced again.
  if (targetBytes === bytes) {
    request.alreadyCommitted()
    return true
  }
  const reason =
    targetBytes === undefined
      ? 'the file is gone'
      : `the file of that name has ${targetBytes} bytes, ${bytes} were written`
  request.failed(fileErrors.WEIR_FILE_LOST({ path: target, reason }))
  return false
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
