import { spawn } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { kubeRequest } from './kube-request.ts'
import { type PolicyObjects, policyRules } from './network-policy.ts'

const PERIOD_MS = 500

/** Keeps the packet filter of the node as the NetworkPolicy objects want it. Never returns. */
export async function enforcePolicies(kubeconfig: string): Promise<never> {
  let applied = ''
  for (;;) {
    try {
      const rules = policyRules(await readObjects(kubeconfig))
      if (rules !== applied) await applyRules(rules)
      applied = rules
    } catch (error) {
      // The API server may have been killed: what was last known holds.
      process.stderr.write(`network policies: ${String(error)}\n`)
    }
    await pause(PERIOD_MS)
  }
}

async function readObjects(kubeconfig: string): Promise<PolicyObjects> {
  const list = async (path: string) => {
    // From the API server's own memory: it is asked often.
    const answer = await kubeRequest(kubeconfig, { path: `${path}?resourceVersion=0` })
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`)
    return JSON.parse(answer.text).items
  }
  const [pods, namespaces, policies] = await Promise.all([
    list('/api/v1/pods'),
    list('/api/v1/namespaces'),
    list('/apis/networking.k8s.io/v1/networkpolicies'),
  ])
  return { pods, namespaces, policies }
}

function applyRules(rules: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const nft = spawn('nft', ['-f', '-'], { stdio: ['pipe', 'inherit', 'inherit'] })
    nft.on('error', reject)
    nft.on('close', code =>
      code === 0 ? resolve() : reject(new Error(`nft ended with ${code}\n${rules}`)),
    )
    nft.stdin.end(rules)
  })
}
