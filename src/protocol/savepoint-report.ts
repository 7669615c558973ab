/**
 * What `weir savepoint verify` says of a snapshot to the controller, as the termination message of
 * its pod: that it is whole, or what is wrong with it. Nothing, where it could not be read.
 */
import { z } from 'zod'

/** A termination message holds 4 KiB, and the status of a Savepoint less. */
const MESSAGE_CHARS_MAX = 1_024

const count = () => z.int().min(0)

const wholeSchema = z.object({
  checkpointId: count(),
  completedAtMs: count(),
  formatVersion: z.int().min(1),
  /** Over the metadata, which has the checksums of all else. */
  checksum: z.string().max(128),
  sizeBytes: count(),
  /** Keys and timers that were read one by one; absent: only checksums were compared. */
  entries: count().optional(),
})

const damagedSchema = z.object({
  error: z.object({
    code: z.string().max(64),
    message: z.string().transform(text => text.slice(0, MESSAGE_CHARS_MAX)),
  }),
})

const reportSchema = z.union([damagedSchema, wholeSchema])

export type WholeSavepoint = Readonly<z.output<typeof wholeSchema>>
export type SavepointReport = Readonly<z.output<typeof reportSchema>>

export function writeSavepointReport(report: SavepointReport): string {
  return JSON.stringify(reportSchema.parse(report))
}

/** `undefined`: it is none. */
export function readSavepointReport(text: string | undefined): SavepointReport | undefined {
  try {
    return reportSchema.safeParse(JSON.parse(text ?? '')).data
  } catch {
    return undefined
  }
}
