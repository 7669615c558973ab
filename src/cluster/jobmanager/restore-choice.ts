/**
 * Finds what an attempt restores: the latest of the lineage, a given path, or nothing.
 */
import { basename, dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkpointErrors } from '../../checkpoint/checkpoint-errors.ts'
import { checkpointIdOf, METADATA_FILE } from '../../checkpoint/checkpoint-layout.ts'
import type { CompletedCheckpoint } from '../../checkpoint/completed-checkpoints.ts'
import type { GenerationBase, Lineage } from '../../checkpoint/generation.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { joinLocation, splitLocation } from '../../storage/split-location.ts'
import type { RestoreRequest } from '../job-settings.ts'

/** A snapshot's place: a folder of a store. */
export interface SnapshotPlace {
  readonly location: string
  readonly folder: string
}

export interface RestoreChoice {
  /** `undefined`: the job starts empty. */
  readonly place: SnapshotPlace | undefined
  readonly base: Omit<GenerationBase, 'reservedBefore'>
  /** Offered when the chosen one is damaged. */
  readonly previous: string | undefined
  /** For people, where the choice may surprise them. */
  readonly note: string | undefined
}

export interface ChoiceOptions {
  readonly request: RestoreRequest
  readonly lineage: Lineage
  readonly store: ObjectStore
  readonly jobId: string
}

/**
 * What was asked for, unless an attempt of this run may have run before: then what that one left.
 *
 * Throws WEIR_RESTORE_NOTHING when `latest` is asked for and the job never ran, and
 * WEIR_CHECKPOINT_CORRUPT when the latest cannot be read: there is no silent step back.
 */
export function chooseRestore(options: ChoiceOptions): RestoreChoice {
  const { request, lineage } = options
  if (lineage.goesOn) return chooseRestart(options)
  switch (request.kind) {
    case 'none':
      return empty(undefined)
    case 'path':
      return chosen(options, placeOf(request.path, options.store))
    case 'latest':
      return latest(options)
    case 'continue':
      if (lineage.jobGoesOn) return chooseRestart(options)
      return chooseRestore({ ...options, request: request.otherwise })
  }
}

/** What the same job goes on from after a failure: never older than its own last checkpoint. */
function chooseRestart(options: Omit<ChoiceOptions, 'request'>): RestoreChoice {
  const { completed, unreadable, restoredFrom, savepoint } = options.lineage
  const found = completed.length + unreadable.length
  const isEmpty = found === 0 && restoredFrom === null && savepoint === undefined
  return isEmpty ? empty(undefined) : latest(options)
}

function latest(options: Omit<ChoiceOptions, 'request'>): RestoreChoice {
  const { store, jobId, lineage } = options
  const newest = lineage.completed.at(-1)
  const broken = lineage.unreadable.at(-1)
  if (broken !== undefined) {
    throw checkpointErrors.WEIR_CHECKPOINT_CORRUPT({
      file: `${pathOf(options, broken)}/${METADATA_FILE}`,
      reason: 'cannot be read',
      previous: newest === undefined ? undefined : pathOf(options, newest.id),
    })
  }
  if (lineage.savepoint !== undefined) {
    // It is the user's: what came before it is the job's past, but no longer what it goes on from.
    const choice = chosen(options, placeOf(lineage.savepoint.path, store))
    return { ...choice, previous: newest === undefined ? undefined : pathOf(options, newest.id) }
  }
  if (newest !== undefined) {
    const place = { location: store.location, folder: `${jobId}/chk-${newest.id}` }
    const base = { restoredFrom: pathOf(options, newest.id), history: lineage.completed }
    return { place, base, previous: previousOf(options, newest.id), note: undefined }
  }
  if (lineage.restoredFrom !== null) {
    return chosen(options, placeOf(lineage.restoredFrom, store))
  }
  if (!lineage.started) {
    throw checkpointErrors.WEIR_RESTORE_NOTHING({ jobId, location: store.location })
  }
  return empty(
    'the last run ended before its first checkpoint completed: starting from the beginning',
  )
}

/** A snapshot named by its path: what came after it is no longer the job's past. */
function chosen(options: Omit<ChoiceOptions, 'request'>, place: SnapshotPlace): RestoreChoice {
  const { store, jobId } = options
  const path = joinLocation({ location: place.location, name: place.folder })
  const isOwn = place.location === store.location && place.folder.startsWith(`${jobId}/chk-`)
  const id = isOwn ? checkpointIdOf(`/${place.folder}/`) : undefined
  if (id === undefined) {
    const base = { restoredFrom: path, history: [] }
    return { place, base, previous: undefined, note: undefined }
  }
  const base = { restoredFrom: path, history: historyUpTo(options.lineage, id) }
  return { place, base, previous: previousOf(options, id), note: undefined }
}

/** Its own id is pinned: the user relies on it by name. Of an older run nothing else is known. */
function historyUpTo(lineage: Lineage, id: number): readonly CompletedCheckpoint[] {
  const known = lineage.completed.some(checkpoint => checkpoint.id === id)
  const older = known ? lineage.completed.filter(checkpoint => checkpoint.id < id) : []
  return [...older, { id, pinned: true }]
}

function empty(note: string | undefined): RestoreChoice {
  const base = { restoredFrom: null, history: [] }
  return { place: undefined, base, previous: undefined, note }
}

function previousOf(options: Omit<ChoiceOptions, 'request'>, id: number): string | undefined {
  const older = options.lineage.completed.findLast(checkpoint => checkpoint.id < id)
  return older === undefined ? undefined : pathOf(options, older.id)
}

function pathOf(options: Omit<ChoiceOptions, 'request'>, id: number): string {
  return `${options.store.location}/${options.jobId}/chk-${id}`
}

/** A path names a folder of the job's own store, or of the folder above it. */
function placeOf(given: string, store: ObjectStore): SnapshotPlace {
  const text = given.startsWith('file://') ? fileURLToPath(given) : given
  if (text.includes('://')) return placeAt(text, store)
  const path = basename(text) === METADATA_FILE ? dirname(text) : text
  const inside = relative(store.location, resolve(path))
  if (isAbsolute(store.location) && inside !== '' && !inside.startsWith('..')) {
    return { location: store.location, folder: inside.split(sep).join('/') }
  }
  if (path.startsWith(`${store.location}/`)) {
    return { location: store.location, folder: path.slice(store.location.length + 1) }
  }
  const whole = resolve(path)
  return { location: dirname(whole), folder: basename(whole) }
}

function placeAt(url: string, store: ObjectStore): SnapshotPlace {
  const named = splitLocation(url)
  if (named.name === METADATA_FILE) return placeAt(named.location, store)
  const [path = ''] = url.replace(/\/+$/, '').split('?', 1)
  if (path.startsWith(`${store.location}/`)) {
    return { location: store.location, folder: path.slice(store.location.length + 1) }
  }
  return { location: named.location, folder: named.name }
}
