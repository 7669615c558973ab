/** Opens the REST API of a running job on the loopback and writes its run file. */
import process from 'node:process'
import type { Random } from '../../../common/random.ts'
import type { RestResources } from './rest-routes.ts'
import { RestServer } from './rest-server.ts'
import { findRunFiles, type RunFile, removeRunFile, writeRunFile } from './run-file.ts'

export interface ServeJobOptions {
  readonly resources: RestResources
  /** Under whose `.weir/run` the run file stands. */
  readonly cwd: string
  /** 0: any free one. */
  readonly port: number
  /** Makes the token: it must not be seeded. */
  readonly random: Random
}

export interface ServedJob {
  readonly url: string
  /** Removes the run file at once; resolves when the last answer has left. */
  close(): Promise<void>
}

/** Rejects when the port is taken or the run file cannot be written. */
export async function serveJob(options: ServeJobOptions): Promise<ServedJob> {
  const { resources, cwd, port, random } = options
  const { observed } = resources
  const token = `${random.uuid()}${random.uuid()}`.replaceAll('-', '')
  const server = await RestServer.listen({ resources, access: { kind: 'token', token, port } })
  const run: RunFile = {
    formatVersion: 1,
    jobId: observed.jobId,
    name: observed.graph.name,
    pid: process.pid,
    url: server.url,
    token,
    startedAtMs: Math.round(observed.clock.now() - observed.job.progress().elapsedMs),
    store: observed.store.location,
  }
  try {
    // Looking for the others removes what a killed one left.
    findRunFiles(cwd)
    writeRunFile(cwd, run)
  } catch (error) {
    await server.close()
    throw error
  }
  return {
    url: server.url,
    close: async () => {
      removeRunFile(cwd, run)
      await server.close()
    },
  }
}
