/** `run-kube.ts PLAN`: the process that a cluster of the testbed hangs on. SIGTERM ends all of it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { kubeconfigOf } from './kube-certificates.ts'
import { apiServer, etcd } from './kube-components.ts'
import { type KubePlan, readPlan } from './kube-plan.ts'
import { KubeProcesses } from './kube-processes.ts'
import { kubeRequest } from './kube-request.ts'

async function run(plan: KubePlan): Promise<void> {
  const processes = new KubeProcesses({
    folder: plan.folder,
    isReady: async address => {
      const answer = kubeRequest(kubeconfigOf(plan, 'admin'), { path: new URL(address).pathname })
      return (await answer.catch(() => undefined))?.status === 200
    },
  })
  process.once('SIGTERM', () => {
    processes.stop()
    process.exit(0)
  })
  // The API server waits for etcd by itself.
  await processes.start(etcd(plan))
  await processes.start(apiServer(plan))
  writeFileSync(join(plan.folder, 'ready'), '')
}

await run(readPlan(process.argv[2] ?? ''))
