/** `kubectl weir savepoint`: takes a savepoint of a running job, which goes on. */
import { defineErrors } from '../../common/errors.ts'
import { type CliIo, exitCodes } from '../cli-io.ts'
import { findJob, inJobManager, jobManagerOf, podsOf } from './cluster-job.ts'
import { Kubectl, type KubectlTarget } from './kubectl.ts'

export const savepointErrors = defineErrors({
  WEIR_JOBMANAGER_NOT_RUNNING: {
    domain: 'external',
    retry: 'later',
    message: (e: { name: string; phase: string }) =>
      `job ${e.name} is ${e.phase}: no jobmanager of it runs`,
    next: 'kubectl weir doctor says what it waits for',
  },
})

export interface TakeSavepointOptions extends KubectlTarget {
  readonly name: string
  readonly output?: string | undefined
}

export async function takeSavepoint(options: TakeSavepointOptions, io: CliIo): Promise<number> {
  const { name, output } = options
  const kubectl = new Kubectl(options, io)
  const job = await findJob(kubectl, name)
  const pod = jobManagerOf(await podsOf(kubectl, job))
  if (pod === undefined) {
    const { phase = 'new' } = job.status ?? {}
    throw savepointErrors.WEIR_JOBMANAGER_NOT_RUNNING({ name, phase })
  }
  const verb = ['savepoint', ...(output === 'json' ? ['--json'] : [])]
  const { code, out, err } = await kubectl.ask(inJobManager(job, pod, verb))
  io.out.write(out)
  if (code === 0) return exitCodes.ok
  io.err.write(err)
  return exitCodes.failed
}
