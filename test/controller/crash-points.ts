/**
 * Ends a controller right after one of its writes, as a kill would: the API server has done what was
 * asked, the answer is lost, and nothing more can be sent. Another controller takes its place. Done
 * for each write of a story, the end must be that of the undisturbed run.
 */
import type { Life, StoryOptions } from './job-story.ts'
import { type Told, tell } from './job-story.ts'
import type { KubeFaultOf, ProxiedRequest } from './kube/kube-proxy.ts'

export type CrashOptions = Omit<StoryOptions, 'strike' | 'times'>

export interface CrashRun extends Told {
  /** `VERB path`, without what differs between runs. */
  readonly writes: readonly string[]
}

/** Runs the story; after its write number `crashAt`, from 1, the controller is gone. */
export async function crashRun(options: CrashOptions, crashAt?: number): Promise<CrashRun> {
  const writes: string[] = []
  const strike = (life: Life, namespace: string): KubeFaultOf => {
    return request => {
      if (!isWrite(request)) return undefined
      if (!isOfStory(request, namespace)) return 'forbidden'
      writes.push(`${request.method} ${shortened(request.path, namespace)}`)
      if (writes.length !== crashAt) return undefined
      life.die()
      return 'lost'
    }
  }
  return { ...(await tell({ ...options, strike })), writes }
}

/** Each run waits for a lease most of the time. */
const RUNS_AT_ONCE = 4

export interface StruckRun {
  readonly at: string
  readonly run: Told
}

/**
 * The undisturbed run, and those whose controller dies after every `stride`th write,
 * beginning with the first.
 */
export async function crashEach(
  options: CrashOptions,
  stride: number,
): Promise<{ readonly calm: CrashRun; readonly struck: readonly StruckRun[] }> {
  const calm = await crashRun(options)
  const points = calm.writes.map((_, index) => index + 1).filter(at => (at - 1) % stride === 0)
  const struck: StruckRun[] = []
  const worker = async (): Promise<void> => {
    for (let at = points.shift(); at !== undefined; at = points.shift()) {
      const { writes, ...run } = await crashRun(options, at)
      struck.push({ at: `${at}: ${writes[at - 1]}`, run })
    }
  }
  await Promise.all(Array.from({ length: RUNS_AT_ONCE }, worker))
  return { calm, struck }
}

/** Leases and events tell of the controller, not of jobs. */
function isWrite({ method, path }: ProxiedRequest): boolean {
  return method !== 'GET' && !path.includes('/leases') && !path.includes('/events')
}

/** Tenants belong to the cluster: those of other tests are none of this one's. */
function isOfStory({ path }: ProxiedRequest, namespace: string): boolean {
  const [place = ''] = path.split('?')
  return place.includes(namespace)
}

function shortened(path: string, namespace: string): string {
  const [place = ''] = path.split('?')
  return place
    .replace(`/namespaces/${namespace}`, '')
    .replace(namespace, 'NAMESPACE')
    .replaceAll(/-[0-9a-f]{8}(?=-|\/|$)/g, '-UID')
}
