import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

const { JOB, NAMESPACE } = process.env
const url = `https://kubernetes.default.svc/apis/weir.dev/v1alpha1/namespaces/${NAMESPACE}/streamjobs/${JOB}`
const token = readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token', 'utf8')

for (;;) {
  const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
  const { status = {}, message } = await answer.json()
  const { phase, conditions = [] } = status
  console.log(answer.ok ? `${JOB} is ${phase ?? 'new'}` : `${answer.status}: ${message}`)
  if (phase === 'Finished') break
  if (phase === 'Failed') {
    for (const { type, reason, message: why } of conditions) console.log(type, reason, why)
    process.exit(1)
  }
  await pause(1_000)
}
