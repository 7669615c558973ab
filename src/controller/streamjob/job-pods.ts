/** The pods of a deployment; pure. They pass the restricted Pod Security Standard. */
import { nodeFlags } from '../../common/node-flags.ts'
import { LINK_PORT } from '../../protocol/link-tls.ts'
import type { StreamJobSpec } from '../../protocol/stream-job.ts'
import type { JobStart } from '../../protocol/stream-job-status.ts'
import { hostName, serviceName } from './host-name.ts'
import { codePartsOf, describerTemplate } from './job-code.ts'
import { CONTROL_PORT, epochName, labels, type PodIdentity, podName } from './job-names.ts'
import { metadataOf } from './job-objects.ts'
import { mergePod } from './merge-pod.ts'
import type { Deployed, Revision } from './observed-job.ts'
import type { PodObject } from './pod-facts.ts'
import type { StreamJobObject } from './stream-job-object.ts'

/** Of Weir's image: where it is, and the number that it runs as. */
export const HOME = '/opt/weir'
const NODE = '/usr/local/bin/node'
const USER = 10_001
const DATA_PORT = 6_124
/** What stands in it becomes the termination message: Kubernetes' own default. */
const LAST_WORD_FILE = '/dev/termination-log'

export const folders = {
  /** The job's description and code, and what the engine writes. */
  work: '/work',
  /** The manifest. */
  deployment: '/var/run/weir/deployment',
  key: '/var/run/weir/key',
  secrets: '/var/run/weir/secrets',
} as const

const hardened = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
}

type Json = Readonly<Record<string, unknown>>

export interface PodPlan {
  readonly job: StreamJobObject
  readonly revision: Revision
  readonly identity: PodIdentity
  /** What the epoch begins with. */
  readonly start: JobStart
  /** Its jobmanager begins when it is told to. */
  readonly isWarm: boolean
}

export function podOf(plan: PodPlan): PodObject {
  const { job, revision, identity } = plan
  const { spec } = revision.deployed.manifest
  const isJobManager = identity.role === 'jobmanager'
  const name = podName(job.metadata.name, identity)
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadataOf(job, name, {
      [labels.epoch]: String(identity.epoch),
      [labels.role]: identity.role,
      [labels.slot]: String(identity.slot),
      [labels.attempt]: String(identity.attempt),
    }),
    spec: podSpec(spec, {
      ...(isJobManager && {
        hostname: hostName(identity.epoch),
        subdomain: serviceName(job.metadata.name),
        initContainers: [describer(plan)],
      }),
      containers: [isJobManager ? jobManager(plan) : taskManager(plan)],
      volumes: volumesOf(plan),
    }),
  }
  const { podTemplate } = spec
  const template = isJobManager ? podTemplate?.jobManager : podTemplate?.taskManager
  if (template === undefined) return pod
  const prepared = isJobManager ? mergePod(pod, describerTemplate(template)) : pod
  return mergePod(prepared, template) as unknown as PodObject
}

/** What all pods of a job have in common. */
export function podSpec(spec: StreamJobSpec, parts: Json): Json {
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    // A last checkpoint fits in.
    terminationGracePeriodSeconds: 60,
    ...(spec.serviceAccountName && { serviceAccountName: spec.serviceAccountName }),
    ...(spec.imagePullSecrets && { imagePullSecrets: spec.imagePullSecrets }),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      fsGroup: USER,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    // The default of five minutes is long for a stream.
    tolerations: ['not-ready', 'unreachable'].map(taint => ({
      key: `node.kubernetes.io/${taint}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 15,
    })),
    ...parts,
  }
}

/** Checks and bundles the job, so that nobody else runs or reads its code. */
function describer({ job, revision: { deployed }, identity, start, isWarm }: PodPlan): Json {
  const { uid = '' } = job.metadata
  const { spec } = deployed.manifest
  const { resources } = spec
  const code = codePartsOf(spec)
  return {
    ...containerOf('describe', deployed),
    command: [NODE, '--disable-warning=ExperimentalWarning', `${HOME}/dist/bin/weir.js`],
    args: [
      'describe',
      `${folders.deployment}/job.yaml`,
      // Deployments are numbered runs: one that is over never begins again.
      '--run',
      `${uid}/${identity.epoch}`,
      ...restoreArguments(start),
      ...(isCheckedCode(spec, identity) ? ['--types-checked'] : []),
      ...(isWarm ? ['--warm'] : []),
      '--output',
      `${folders.work}/job`,
    ],
    env: [{ name: 'XDG_CACHE_HOME', value: `${folders.work}/cache` }, ...code.env],
    workingDir: HOME,
    resources: amounts(resources.jobManager),
    volumeMounts: mountsOf(deployed, [
      { name: 'deployment', mountPath: folders.deployment, readOnly: true },
      ...code.mounts,
    ]),
  }
}

/**
 * By the plan, or as it was deployed before: a job that changes over is away for as long as this
 * takes. What a ConfigMap holds may have changed since.
 */
function isCheckedCode({ job }: StreamJobSpec, { epoch }: PodIdentity): boolean {
  return epoch > 1 && job.configMap === undefined
}

function restoreArguments({ from, path, fromJob }: JobStart): readonly string[] {
  if (from === 'manifest') return []
  if (from !== 'path') return ['--restore', from]
  // Without a place there is nothing to begin with: the pod says so.
  const other = fromJob === undefined ? [] : ['--from-job', fromJob]
  return ['--restore', path ?? '', ...other]
}

function jobManager({ revision: { deployed } }: PodPlan): Json {
  const { resources } = deployed.manifest.spec
  return {
    ...containerOf('jobmanager', deployed),
    command: [NODE, ...nodeFlags, `${HOME}/dist/bin/jobmanager.js`],
    // Where `kubectl exec POD -- weir status` finds the job.
    workingDir: `${folders.work}/job`,
    env: [
      ...sharedEnv,
      { name: 'WEIR_JOB_FILE', value: `${folders.work}/job/job.json` },
      { name: 'WEIR_LISTEN', value: `tcp://0.0.0.0:${CONTROL_PORT}` },
      { name: 'WEIR_REST_LISTEN', value: `tcp://0.0.0.0:${LINK_PORT}` },
      { name: 'WEIR_LAST_WORD_FILE', value: LAST_WORD_FILE },
    ],
    ports: [
      { name: 'control', containerPort: CONTROL_PORT, protocol: 'TCP' },
      { name: 'link', containerPort: LINK_PORT, protocol: 'TCP' },
    ],
    resources: amounts(resources.jobManager),
    volumeMounts: mountsOf(deployed, []),
  }
}

function taskManager({ job, revision: { deployed }, identity }: PodPlan): Json {
  const { resources } = deployed.manifest.spec
  const { name, namespace = '' } = job.metadata
  const host = `${hostName(identity.epoch)}.${serviceName(name)}`
  return {
    ...containerOf('taskmanager', deployed),
    command: [NODE, ...nodeFlags, `${HOME}/dist/bin/taskmanager.js`],
    env: [
      ...sharedEnv,
      { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'WEIR_JOB_ID', value: `${namespace}.${name}` },
      { name: 'WEIR_SLOT', value: String(identity.slot) },
      { name: 'WEIR_JOBMANAGER', value: `tcp://${host}.${namespace}.svc:${CONTROL_PORT}` },
      { name: 'WEIR_LISTEN', value: `tcp://0.0.0.0:${DATA_PORT}` },
      { name: 'WEIR_ADVERTISE', value: `tcp://$(POD_IP):${DATA_PORT}` },
      { name: 'WEIR_WORK_FOLDER', value: `${folders.work}/code` },
      { name: 'WEIR_STATE_FOLDER', value: `${folders.work}/state` },
    ],
    ports: [{ name: 'data', containerPort: DATA_PORT, protocol: 'TCP' }],
    resources: amounts(resources.taskManager),
    volumeMounts: mountsOf(deployed, []),
  }
}

const sharedEnv: readonly Json[] = [
  { name: 'WEIR_SECRET_FILE', value: `${folders.key}/key` },
  { name: 'WEIR_LOG', value: 'info' },
]

export function containerOf(name: string, deployed: Deployed): Json {
  return {
    name,
    image: deployed.image,
    imagePullPolicy: deployed.manifest.spec.imagePullPolicy,
    securityContext: hardened,
    // The end of the log says why; errors of Weir hold no secret.
    terminationMessagePolicy: 'FallbackToLogsOnError',
  }
}

/** Memory is one number: what it may use is what it gets. */
export function amounts({ cpu, memory }: { cpu: string | number; memory: string | number }): Json {
  return {
    requests: { cpu: String(cpu), memory: String(memory) },
    limits: { memory: String(memory) },
  }
}

function mountsOf({ manifest }: Deployed, more: readonly Json[]): readonly Json[] {
  return [
    { name: 'work', mountPath: folders.work },
    { name: 'temporary', mountPath: '/tmp' },
    { name: 'key', mountPath: folders.key, readOnly: true },
    ...secretMounts(manifest.spec),
    ...more,
  ]
}

function volumesOf({ job, identity, revision }: PodPlan): Json[] {
  const { epoch, role } = identity
  const { spec } = revision.deployed.manifest
  const { stateVolume } = spec.resources
  const limit = stateVolume === undefined ? {} : { sizeLimit: String(stateVolume) }
  const configMap = { name: revision.name }
  return [
    { name: 'work', emptyDir: limit },
    { name: 'temporary', emptyDir: {} },
    { name: 'key', secret: { secretName: epochName(job.metadata, epoch), defaultMode: 0o440 } },
    ...(role === 'jobmanager'
      ? [{ name: 'deployment', configMap }, ...codePartsOf(spec).volumes]
      : []),
    ...secretVolumes(spec),
  ]
}

export function secretMounts({ secrets = [] }: StreamJobSpec): readonly Json[] {
  return secrets.map(({ name }) => {
    return { name: `secret-${name}`, mountPath: `${folders.secrets}/${name}`, readOnly: true }
  })
}

export function secretVolumes({ secrets = [] }: StreamJobSpec): readonly Json[] {
  return secrets.map(({ name }) => {
    return { name: `secret-${name}`, secret: { secretName: name, defaultMode: 0o440 } }
  })
}
