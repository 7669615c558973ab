/**
 * What an attempt begins with: the plan of a restored snapshot, cut into one part a slot.
 */

import { type ChannelPiece, IN_FLIGHT } from '../../checkpoint/channel-plan.ts'
import { checkpointErrors } from '../../checkpoint/checkpoint-errors.ts'
import {
  type CheckpointMetadata,
  type EdgeDescription,
  type OperatorDescription,
  type Proof,
  storedSize,
} from '../../checkpoint/checkpoint-metadata.ts'
import {
  planRestore,
  type RestorePlan,
  type SubtaskRestore,
} from '../../checkpoint/restore-plan.ts'
import { isWeirError } from '../../common/errors.ts'
import type { Subtask } from '../../graph/execution-plan.ts'
import { type JobGraph, vertexOf } from '../../graph/job-graph.ts'
import { operatorForm } from '../../graph/operator-form.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { joinLocation } from '../../storage/split-location.ts'
import type { RestoreRequest } from '../job-settings.ts'
import type { SlotRestore } from '../slot-messages.ts'
import { checkDeclaredStates } from './check-declared-states.ts'
import type { CompletedSnapshot } from './job-history.ts'
import { readSnapshot } from './job-store.ts'
import type { RestoreChoice, SnapshotPlace } from './restore-choice.ts'

export interface RestoredJob {
  readonly path: string
  readonly place: SnapshotPlace
  readonly previous: string | undefined
  readonly plan: RestorePlan
  readonly proof: Proof
  readonly snapshot: CompletedSnapshot
  /** For people: what was given up, and what was named for it in vain. */
  readonly notes: readonly string[]
}

export type LoadedJob = LoadOptions & { readonly metadata: CheckpointMetadata }

export interface LoadOptions {
  readonly graph: JobGraph
  readonly jobId: string
  readonly choice: Pick<RestoreChoice, 'previous'> & { readonly place: SnapshotPlace }
  readonly store: ObjectStore
  readonly request: RestoreRequest
}

/**
 * Reads the metadata and plans the restore. Throws WEIR_RESTORE_NOT_FOUND, WEIR_CHECKPOINT_CORRUPT,
 * and what a job that does not fit its state deserves.
 */
export async function loadRestoredJob(options: LoadOptions): Promise<RestoredJob> {
  return restoreOf({ ...options, metadata: await readChosen(options) })
}

/** The metadata of what was chosen. Throws WEIR_RESTORE_NOT_FOUND and WEIR_CHECKPOINT_CORRUPT. */
export async function readChosen({
  choice: { place, previous },
  store,
}: LoadOptions): Promise<CheckpointMetadata> {
  const path = joinLocation({ location: place.location, name: place.folder })
  return readSnapshot(store, place.folder, previous).catch((error: unknown) => {
    const isMissing = isWeirError(error) && error.code === 'WEIR_STORE_NOT_FOUND'
    throw isMissing ? checkpointErrors.WEIR_RESTORE_NOT_FOUND({ path }, error) : error
  })
}

/** Plans the restore of what was read. Throws what a job that does not fit its state deserves. */
export function restoreOf({ graph, jobId, choice, request, metadata }: LoadedJob): RestoredJob {
  const { place, previous } = choice
  const path = joinLocation({ location: place.location, name: place.folder })
  refuseOtherJob({ metadata, path, jobId, request })
  const dropState = request.kind === 'none' ? [] : (request.dropState ?? [])
  const dropped = checkDeclaredStates({ graph, metadata, dropState })
  const operators = operatorDescriptions(graph).filter(one => !dropped.has(one.operatorId))
  const edges = edgeDescriptions(graph)
  const plan = planRestore({ metadata, path, operators, edges, dropState })
  const { givenUp } = plan.channels
  const notes = [...dropped.values(), ...givenUp, ...unknownNames(dropState, metadata)]
  const { kind, checkpointId: id, completedAtMs, proof } = metadata
  const snapshot = { id, kind, path, completedAtMs, sizeBytes: storedSize(metadata) }
  return { path, place, previous, plan, proof, snapshot, notes }
}

interface Ownership {
  readonly metadata: CheckpointMetadata
  readonly path: string
  readonly jobId: string
  readonly request: RestoreRequest
}

/** Its sinks' transactions are another job's; and a path is easily mistaken. */
function refuseOtherJob({ metadata, path, jobId, request }: Ownership): void {
  const fromJob = request.kind === 'path' ? request.fromJob : undefined
  if (metadata.jobId === jobId || metadata.jobId === fromJob) return
  throw checkpointErrors.WEIR_RESTORE_OTHER_JOB({ path, found: metadata.jobId, jobId })
}

/** A name that stays in a manifest after its state is gone is no error. */
function unknownNames(dropState: readonly string[], { operators }: CheckpointMetadata): string[] {
  const names = operators.flatMap(({ uid, operatorId }) => [uid, operatorId])
  const known = new Set([...names, IN_FLIGHT])
  // One state of an operator is named as `uid.state`.
  const unknown = dropState.filter(
    name => !known.has(name) && !known.has(name.slice(0, name.lastIndexOf('.'))),
  )
  return unknown.map(name => `nothing to drop: the snapshot has no operator with uid ${name}`)
}

/** The part of some subtasks of one slot. */
export function slotRestore(restored: RestoredJob, subtasks: readonly Subtask[]): SlotRestore {
  const { place, previous, plan } = restored
  const operators: Record<string, SubtaskRestore> = {}
  const channels: Record<string, readonly ChannelPiece[]> = {}
  for (const { vertex, index } of subtasks) {
    for (const { operatorId } of vertex.chain) {
      const part = plan.operators.get(operatorId)?.subtasks[index]
      if (part !== undefined) operators[operatorId] = part
    }
    const pieces = plan.channels.vertices.get(vertex.id)?.[index]
    if (pieces !== undefined) channels[vertex.id] = pieces
  }
  return { checkpointId: plan.checkpointId, ...place, previous, operators, channels }
}

/** The job's operators as a checkpoint's metadata names them. */
export function operatorDescriptions(graph: JobGraph): readonly OperatorDescription[] {
  return graph.vertices.flatMap(vertex =>
    vertex.chain.map(operator => ({
      operatorId: operator.operatorId,
      uid: operator.uid,
      name: operator.name,
      vertexId: vertex.id,
      parallelism: vertex.parallelism,
      maxParallelism: vertex.maxParallelism,
      form: { ...operatorForm(operator) },
    })),
  )
}

/** The job's edges as a checkpoint's metadata names them. */
export function edgeDescriptions(graph: JobGraph): readonly EdgeDescription[] {
  return graph.edges.map(({ id, from, to, partitioner, type, isLocated }) => {
    const { parallelism, maxParallelism } = vertexOf(graph, to.vertexId)
    return {
      edgeId: id,
      fromOperatorId: from.operatorId,
      vertexId: to.vertexId,
      partitioner: partitioner.kind,
      schema: type.schema,
      ...(isLocated === true && { isLocated }),
      parallelism,
      maxParallelism,
    }
  })
}
