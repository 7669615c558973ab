/**
 * The commands of `kubectl weir`, with the flags that kubectl has for the same things. Results go
 * to standard output, progress to standard error.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { parseDuration } from '../../common/duration.ts'
import { type CliIo, exitCodes } from '../cli-io.ts'
import { describeError } from '../describe-error.ts'
import { type CompletedVerb, completeWords } from './complete-words.ts'
import type { DryRun, EditVerb } from './edit-job.ts'
import { BLOCKED } from './plan-on-cluster.ts'

const exitCodesHelp = `
Exit codes:
  0  done
  1  failed, or the doctor found something
  2  wrong usage
  ${BLOCKED}  the plan found what is in the way`

/** Runs one command line; gives the exit code. Never throws. */
export async function runKubectlProgram(args: readonly string[], io: CliIo): Promise<number> {
  let code: number = exitCodes.ok
  const program = declareAll(io, result => {
    code = result
  })
  const [first, ...words] = args
  if (first === COMPLETE) return completeWords(words, verbsOf(program), io)
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.invalid
    io.err.write(describeError(error))
    return exitCodes.failed
  }
}

/** What kubectl_complete-weir is called as. */
const COMPLETE = '__complete'

type Done = (code: number) => void

function declareAll(io: CliIo, done: Done): Command {
  const program = new Command('kubectl weir')
    .description('StreamJobs on a cluster')
    .exitOverride()
    .configureOutput({
      writeOut: text => io.out.write(text),
      writeErr: text => io.err.write(text),
      getOutHelpWidth: () => io.out.columns,
    })
    .showHelpAfterError('  next: kubectl weir --help shows every command')
    .addHelpText('after', exitCodesHelp)
  declareLooks(program, io, done)
  declareEdit(program, 'suspend', { io, done }).description(
    'take a last checkpoint and let the pods go',
  )
  declareEdit(program, 'resume', { io, done }).description('go on with a suspended job')
  declareEdit(program, 'restart', { io, done }).description('deploy the job anew, with its state')
  declareSavepoint(program, io, done)
  declareScale(program, io, done)
  declareRollback(program, io, done)
  return program
}

/** Where: as with every command of kubectl. */
function withTarget(command: Command): Command {
  return command
    .option('-n, --namespace <name>', 'the namespace; default: that of the context')
    .option('--context <name>', 'of the kubeconfig')
    .option('--kubeconfig <file>', 'the kubeconfig')
}

function withChoice(command: Command): Command {
  return withTarget(command)
    .option('-l, --selector <labels>', 'all jobs with these labels')
    .option('-A, --all-namespaces', 'of all namespaces')
}

/** As kubectl has it: a name is one job of one namespace. */
function checkChoice(program: Command, name: string | undefined, flags: ChoiceFlags): void {
  if (name === undefined) return
  if (flags.selector !== undefined) program.error('error: give a name or --selector, not both')
  if (flags.allNamespaces === true) {
    program.error('error: a job of that name is of one namespace: leave out --all-namespaces')
  }
}

interface TargetFlags {
  readonly namespace?: string
  readonly context?: string
  readonly kubeconfig?: string
}

interface ChoiceFlags extends TargetFlags {
  readonly selector?: string
  readonly allNamespaces?: boolean
  readonly output?: string
}

function declareLooks(program: Command, io: CliIo, done: Done): void {
  withTarget(program.command('plan <file>'))
    .description('what kubectl apply of a manifest would do; changes nothing')
    .option('-o, --output <format>', 'json')
    .action(async (file: string, flags: TargetFlags & { output?: string }) => {
      const { planOnCluster } = await import('./plan-on-cluster.ts')
      done(await planOnCluster({ file, ...flags }, io))
    })
  withChoice(program.command('status [job]'))
    .description('all jobs, or one with what its jobmanager says')
    .option('-o, --output <format>', 'as kubectl get: json, yaml, wide, name, …')
    .action(async (name: string | undefined, flags: ChoiceFlags) => {
      checkChoice(program, name, flags)
      const { showJobs } = await import('./show-jobs.ts')
      done(await showJobs({ name, ...flags }, io))
    })
  withChoice(program.command('doctor [job]'))
    .description('what is wrong, and what to do; fails where something is')
    .option('-o, --output <format>', 'json')
    .action(async (name: string | undefined, flags: ChoiceFlags) => {
      checkChoice(program, name, flags)
      const { diagnoseJobs } = await import('./diagnose-jobs.ts')
      done(await diagnoseJobs({ name, ...flags }, io))
    })
  withTarget(program.command('logs <job>'))
    .description('the logs of jobmanager and slots of the newest deployment')
    .option('-f, --follow', 'go on until the job ends, with the pods that take the place of others')
    .option('--slot <n>', 'of one slot only, or: jobmanager')
    .option('--tail <lines>', 'begin so many lines before the end')
    .option('--since <duration>', 'begin so long ago')
    .action(async (name: string, flags: LogFlags) => {
      const { showLogs } = await import('./show-logs.ts')
      done(await showLogs({ name, ...flags, follow: flags.follow === true }, io))
    })
}

interface LogFlags extends TargetFlags {
  readonly follow?: boolean
  readonly slot?: string
  readonly tail?: string
  readonly since?: string
}

function withDryRun(command: Command): Command {
  const dryRun = new Option('--dry-run <how>', 'change nothing: here, or as the API server would')
  return command.addOption(dryRun.choices(['none', 'client', 'server']).default('none'))
}

function withWait(command: Command): Command {
  return withDryRun(command)
    .option('--wait', 'until it is done')
    .option('--timeout <duration>', 'of the wait', parseWait, WAIT_MAX_MS)
}

/** A last checkpoint of much state takes minutes. */
const WAIT_MAX_MS = 10 * 60_000

interface WaitFlags {
  readonly dryRun: DryRun
  readonly wait?: boolean
  readonly timeout: number
}

interface Place {
  readonly io: CliIo
  readonly done: Done
}

function declareEdit(program: Command, verb: EditVerb, { io, done }: Place): Command {
  return withWait(withChoice(program.command(`${verb} [job]`))).action(
    async (name: string | undefined, flags: ChoiceFlags & WaitFlags) => {
      const chosen = name ?? flags.selector
      // All jobs at once are meant by nobody who leaves the name out.
      if (chosen === undefined) program.error(`error: ${verb} needs a job, or --selector`)
      checkChoice(program, name, flags)
      const { editJobs } = await import('./edit-job.ts')
      const wait = flags.wait === true
      done(await editJobs(verb, { name, ...flags, wait, timeoutMs: flags.timeout }, io))
    },
  )
}

function declareSavepoint(program: Command, io: CliIo, done: Done): void {
  withDryRun(withTarget(program.command('savepoint <job>')))
    .description('take a savepoint of a running job, which goes on; prints its path')
    .option('--no-wait', 'print its name as soon as it is asked for')
    .option('--timeout <duration>', 'of the wait', parseWait, WAIT_MAX_MS)
    .option('-o, --output <format>', 'json')
    .action(async (name: string, flags: SavepointFlags) => {
      const { takeSavepoint } = await import('./take-savepoint.ts')
      done(await takeSavepoint({ name, ...flags, timeoutMs: flags.timeout }, io))
    })
}

interface SavepointFlags extends TargetFlags {
  readonly dryRun: DryRun
  readonly wait: boolean
  readonly timeout: number
  readonly output?: string
}

function declareScale(program: Command, io: CliIo, done: Done): void {
  withWait(withTarget(program.command('scale <job>')))
    .description('another number of slots')
    .requiredOption('-r, --replicas <n>', 'slots from now on', parseReplicas)
    .action(async (name: string, flags: TargetFlags & WaitFlags & { replicas: number }) => {
      const { scaleJob } = await import('./scale-job.ts')
      const wait = flags.wait === true
      done(await scaleJob({ name, ...flags, wait, timeoutMs: flags.timeout }, io))
    })
}

function declareRollback(program: Command, io: CliIo, done: Done): void {
  withWait(withTarget(program.command('rollback <job>')))
    .description('an earlier revision, with the state of now')
    .option('--to <revision>', 'its name or number; default: the stable one, or the one before')
    .action(async (name: string, flags: TargetFlags & WaitFlags & { to?: string }) => {
      const { rollbackJob } = await import('./rollback-job.ts')
      const wait = flags.wait === true
      done(await rollbackJob({ name, ...flags, wait, timeoutMs: flags.timeout }, io))
    })
}

function parseReplicas(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new InvalidArgumentError('expected a whole number from 1 on.')
}

function parseWait(text: string): number {
  const value = parseDuration(text)
  if (value !== undefined) return value
  throw new InvalidArgumentError('expected a duration such as 30s or 5m.')
}

function verbsOf(program: Command): readonly CompletedVerb[] {
  return program.commands.map(command => {
    const [argument] = command.registeredArguments
    const name = argument?.name()
    return {
      name: command.name(),
      takes: name === 'job' || name === 'file' ? name : 'nothing',
      flags: command.options.flatMap(option => option.long ?? []),
    }
  })
}
