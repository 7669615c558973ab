/** `run-kube.ts PLAN`: the process that a cluster of the testbed hangs on. SIGTERM ends all of it. */
import { readPlan } from './kube-plan.ts'
import { runKubeNode } from './run-kube-node.ts'
import { runKubeProcesses } from './run-kube-processes.ts'

const [file = '', where] = process.argv.slice(2)
const plan = readPlan(file)

if (plan.form === 'node' && where !== '--inside') await runKubeNode(plan, file)
else await runKubeProcesses(plan)
