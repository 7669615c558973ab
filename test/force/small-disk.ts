import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'

/** A file system of its own and of few bytes. Needs root. */
export class SmallDisk {
  readonly folder: string

  constructor(folder: string, bytes: number) {
    this.folder = folder
    mkdirSync(folder, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'weir-force', folder])
  }

  static get isPossible(): boolean {
    return process.getuid?.() === 0
  }

  remove(): void {
    execFileSync('umount', ['--lazy', this.folder])
  }
}
