/** What is done to a job on a real cluster; each ends when the job is at work again. */
import { type BankTrial, JOB } from './bank-trial.ts'

export const bankFaults: Readonly<Record<string, (trial: BankTrial) => Promise<void>>> = {
  'a slot is killed': trial =>
    trial.recovers('a slot killed', async () => {
      const [pod = ''] = await trial.pods('taskmanager')
      await trial.rig.killPod(pod)
    }),
  'a slot is deleted': trial =>
    trial.recovers('a slot deleted', async () => {
      const pod = (await trial.pods('taskmanager')).at(-1) ?? ''
      await trial.rig.kubectl.run('delete', 'pod', pod, '--force', '--grace-period=0')
    }),
  'the jobmanager is killed': trial =>
    trial.recovers('the jobmanager killed', async () => {
      const [pod = ''] = await trial.pods('jobmanager')
      await trial.rig.killPod(pod)
    }),
  'the kubelet is killed, and a slot': trial =>
    trial.recovers('the kubelet and a slot killed', async () => {
      const [pod = ''] = await trial.pods('taskmanager')
      await trial.rig.killKubelet()
      await trial.rig.killPod(pod)
    }),
  'the controller is killed, and a slot': async trial => {
    const { rig } = trial
    const { time } = await killController(trial)
    await trial.recovers('a slot killed without a controller', async () => {
      const [pod = ''] = await trial.pods('taskmanager')
      await rig.killPod(pod)
    })
    await time
  },
  'other code and another parallelism': trial => trial.upgrades(otherOf(trial)),
  'the controller is killed in an upgrade': async trial => {
    const { epoch = 0 } = trial.watch.status
    await trial.apply(otherOf(trial))
    await trial.watch.until('an upgrade', ({ upgrade }) => upgrade?.phase === 'Savepointing')
    const { time } = await killController(trial)
    await trial.isNext(epoch, 'upgraded by the next controller')
    await time
  },
  'a slot is killed in an upgrade': async trial => {
    const { epoch = 0 } = trial.watch.status
    await trial.apply(otherOf(trial))
    await trial.watch.until('new pods', ({ upgrade }) => upgrade?.phase === 'Verifying')
    const [pod = ''] = await trial.pods('taskmanager')
    await trial.rig.killPod(pod)
    await trial.isNext(epoch, 'upgraded all the same')
  },
  'an image that is not there': trial =>
    trial.isUndone({ image: 'localhost/weir:nowhere' }, /ImageFailed/),
  // On a machine that has much to do the deadline comes before the fourth fall.
  'a version that falls over': trial =>
    trial.isUndone({ fault: 'throw' }, /CrashLoop|StartTimeout/),
  'a version that stalls': trial => trial.isUndone({ fault: 'stall' }, /CheckpointsStalled/),
  'suspended and resumed': async trial => {
    const { epoch = 0 } = trial.watch.status
    await trial.rig.weir('suspend', JOB, '--wait')
    await trial.rig.weir('resume', JOB, '--wait')
    await trial.isNext(epoch, 'resumed')
  },
  'scaled by kubectl': async trial => {
    const { epoch = 0 } = trial.watch.status
    const replicas = trial.wanted.parallelism === 3 ? 2 : 3
    await trial.rig.kubectl.run('scale', 'streamjob', JOB, `--replicas=${replicas}`)
    await trial.isNext(epoch, 'scaled')
    // The manifest of the person follows.
    await trial.apply({ parallelism: replicas })
  },
  'restarted, and a savepoint taken': async trial => {
    const { epoch = 0 } = trial.watch.status
    await trial.rig.weir('restart', JOB, '--wait')
    await trial.isNext(epoch, 'restarted')
    await trial.watch.settled(trial.newestCheckpoint)
    await trial.rig.weir('savepoint', JOB)
  },
}

function otherOf({ wanted }: BankTrial) {
  const code = wanted.code === 'bundle' ? 'configMap' : 'bundle'
  return { code, parallelism: wanted.parallelism === 4 ? 3 : 4 } as const
}

/** `time`: when another one leads, it is noted how long that took. */
async function killController({ rig, figures }: BankTrial) {
  const before = await rig.killLeader()
  const beganMs = Date.now()
  const leads = async (): Promise<void> => {
    while ((await rig.leader()) === before) {
      // kubectl takes its time.
    }
    figures.push(
      `the leader killed: another leads ${((Date.now() - beganMs) / 1_000).toFixed(1)} s later`,
    )
  }
  return { time: leads() }
}
