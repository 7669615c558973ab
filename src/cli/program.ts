/**
 * The commands of `weir`: names, arguments and help. Each verb is a file of its own, loaded when it
 * is asked for, so that a start pays for one verb only. The home of commander.
 */
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { type CliIo, exitCodes } from './cli-io.ts'
import { describeError } from './describe-error.ts'
import type { ImageOptions } from './image.ts'
import { findInstallation } from './installation.ts'
import type { VerifyOptions } from './verify-savepoint.ts'

/** About ten seconds. */
const SIM_SEEDS = 1_000

const exitCodesHelp = `
Exit codes:
  0    done, also a job that weir stop ended
  1    the job failed, or a test did
  2    wrong usage, manifest, job or checkpoint: nothing was started
  3    weir plan: the job does not fit its state
  130  stopped by Ctrl-C (143: by SIGTERM, or cancelled)`

/** Runs one command line; gives the exit code. Never throws. */
export async function runProgram(args: readonly string[], io: CliIo): Promise<number> {
  let code: number = exitCodes.ok
  const program = declareCommands(io, result => {
    code = result
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    // Commander has already said what was wrong with the usage.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.invalid
    io.err.write(describeError(error))
    return exitCodes.invalid
  }
}

type Done = (code: number) => void

function declareCommands(io: CliIo, done: Done): Command {
  const program = new Command('weir')
    .description('A stream processor in TypeScript')
    .version(findInstallation().version)
    .exitOverride()
    .configureOutput({
      writeOut: text => io.out.write(text),
      writeErr: text => io.err.write(text),
      getOutHelpWidth: () => io.out.columns,
    })
    .showHelpAfterError('  next: weir --help shows every command')
    .addHelpText('after', exitCodesHelp)
  declareRun(program, io, done)
  declarePlan(program, io, done)
  declareLooks(program, io, done)
  declareSavepoint(program, io, done)
  declareEnds(program, io, done)
  declareTest(program, io, done)
  declareBench(program, io, done)
  declareSim(program, io, done)
  declareDescribe(program, io, done)
  declareKubectl(program, io, done)
  declareImage(program, io, done)
  declareTestbed(program, io, done)
  return program
}

function declareRun(program: Command, io: CliIo, done: Done): void {
  program
    .command('run <file>')
    .description('run a StreamJob manifest or a job module here, to its end if its input has one')
    .option('-p, --parallelism <n>', 'slots, instead of spec.parallelism', parseCount)
    .option('--restore <from>', 'start from a checkpoint or savepoint: latest, or a folder')
    .option(
      '--drop-state <uids>',
      'operators whose state may be given up, e.g. totals,alerts',
      names,
    )
    .option('--from-job <id>', 'the other job whose checkpoint is restored, e.g. default.orders')
    .option('--set <path=value>', 'override a field, e.g. spec.job.args.output=out', collect, [])
    .option('--state <backend>', 'state backend, instead of spec.stateBackend.type')
    .option('--processes', 'each slot is a process of its own, also a single one')
    .option('--in-process', 'all slots run in this process; default for a single one')
    .option('--no-rest', 'without the REST API: the job cannot be looked at or steered')
    .option('--rest-port <n>', 'port of the REST API on 127.0.0.1; default: a free one', parsePort)
    .option('--testbed', 'start a real Kafka broker and S3 server for it before')
    .action(async (file: string, options: RunFlags) => {
      if (options.testbed === true) {
        const { runOnTestbed } = await import('./run-on-testbed.ts')
        done(await runOnTestbed({ file, args: rawArgs(program) }, io))
        return
      }
      const { run } = await import('./run.ts')
      done(await run({ file, ...options }, io))
    })
}

interface RunFlags {
  readonly parallelism?: number
  readonly restore?: string
  readonly dropState?: readonly string[]
  readonly fromJob?: string
  readonly set: readonly string[]
  readonly state?: string
  readonly rest: boolean
  readonly restPort?: number
  readonly processes?: boolean
  readonly inProcess?: boolean
  readonly testbed?: boolean
}

/** The command line as it was given. */
function rawArgs(program: Command): readonly string[] {
  return (program as unknown as { readonly rawArgs: readonly string[] }).rawArgs
}

function declarePlan(program: Command, io: CliIo, done: Done): void {
  program
    .command('plan <file>')
    .description('print the graph of a job: chains, shuffles, state, warnings; runs nothing')
    .option('-p, --parallelism <n>', 'slots, instead of spec.parallelism', parseCount)
    .option('--set <path=value>', 'override a field, e.g. spec.job.args.output=out', collect, [])
    .option('--json', 'as JSON')
    .option('--mermaid', 'as a Mermaid flowchart')
    .option('--against <from>', 'hold it against its state: latest, or the folder of a snapshot')
    .option('--drop-state <uids>', 'operators whose state may be given up', names)
    .option('--from-job <id>', 'the other job whose state it is, e.g. default.orders')
    .option('--verdict <file>', 'gets the words of what does not fit')
    .action(async (file: string, options: PlanFlags) => {
      const { plan } = await import('./plan.ts')
      done(await plan({ file, ...options }, io))
    })
}

interface PlanFlags {
  readonly parallelism?: number
  readonly set: readonly string[]
  readonly json?: boolean
  readonly mermaid?: boolean
  readonly against?: string
  readonly dropState?: readonly string[]
  readonly fromJob?: string
  readonly verdict?: string
}

/** A verb on a running job; JOB may be left out where only one runs. */
function steerCommand(program: Command, usage: string, description: string): Command {
  return program.command(usage).description(description).option('--json', 'as JSON')
}

interface SteerFlags {
  readonly json?: boolean
}

interface StopFlags extends SteerFlags {
  readonly savepoint?: boolean
  readonly drain?: boolean
}

function declareLooks(program: Command, io: CliIo, done: Done): void {
  steerCommand(program, 'list', 'the running jobs that were started in this folder').action(
    async (options: SteerFlags) => {
      const { list } = await import('./list.ts')
      done(await list(options, io))
    },
  )
  steerCommand(program, 'status [job]', 'how a running job is doing').action(
    async (job: string | undefined, options: SteerFlags) => {
      const { status } = await import('./status.ts')
      done(await status({ job, ...options }, io))
    },
  )
  const checkpoints = '[JOB] [show N]: the checkpoints of a running job, or one with its phases'
  steerCommand(program, 'checkpoints [words...]', checkpoints).action(
    async (words: readonly string[], options: SteerFlags) => {
      const verb = await import('./checkpoints.ts')
      done(await verb.checkpoints({ words, ...options }, io))
    },
  )
  steerCommand(program, 'exceptions [job]', 'the failures of a running job').action(
    async (job: string | undefined, options: SteerFlags) => {
      const { exceptions } = await import('./exceptions.ts')
      done(await exceptions({ job, ...options }, io))
    },
  )
  steerCommand(program, 'metrics [job]', 'the figures of a running job, for Prometheus').action(
    async (job: string | undefined, options: SteerFlags) => {
      const { metrics } = await import('./metrics.ts')
      done(await metrics({ job, ...options }, io))
    },
  )
}

function declareEnds(program: Command, io: CliIo, done: Done): void {
  steerCommand(program, 'stop [job]', 'end a running job after a last checkpoint')
    .option('--savepoint', 'that checkpoint is a savepoint: yours, in a folder that can be moved')
    .option('--drain', 'end event time first: windows fire; for a job that is not to go on')
    .action(async (job: string | undefined, options: StopFlags) => {
      const { stop } = await import('./stop.ts')
      done(await stop({ job, ...options }, io))
    })
  steerCommand(program, 'rescale [job]', 'move a running job to other slots, over a checkpoint')
    .requiredOption('-p, --parallelism <n>', 'slots from now on', parseCount)
    .action(async (job: string | undefined, options: SteerFlags & { parallelism: number }) => {
      const { rescale } = await import('./rescale.ts')
      done(await rescale({ job, ...options }, io))
    })
  steerCommand(program, 'cancel [job]', 'end a running job at once, without a checkpoint').action(
    async (job: string | undefined, options: SteerFlags) => {
      const { cancel } = await import('./cancel.ts')
      done(await cancel({ job, ...options }, io))
    },
  )
}

function declareSavepoint(program: Command, io: CliIo, done: Done): void {
  const about = 'take a savepoint of a running job, which goes on'
  const command = steerCommand(program, 'savepoint [job]', about).action(
    async (job: string | undefined, options: SteerFlags) => {
      const { triggerSavepoint } = await import('./trigger-savepoint.ts')
      done(await triggerSavepoint({ job, ...options }, io))
    },
  )
  command
    .command('dispose <path>')
    .description('remove the files of a savepoint that nobody needs any more')
    .action(async (path: string) => {
      const { disposeSavepoint } = await import('./dispose-savepoint.ts')
      done(await disposeSavepoint(path, io))
    })
  command
    .command('verify <path>')
    .description('read all state of a checkpoint or savepoint and compare its checksums')
    .option('--restore', 'read each key and timer, too, as a restore does')
    .option('--report <file>', 'gets what was found, as JSON')
    .action(async (path: string, options: Omit<VerifyOptions, 'path'>) => {
      const { verifySavepoint } = await import('./verify-savepoint.ts')
      done(await verifySavepoint({ path, ...options }, io))
    })
  program
    .command('purge <file>')
    .description('remove all checkpoints of a job that is never to run again; savepoints stay')
    .action(async (file: string) => {
      const { purge } = await import('./purge.ts')
      done(await purge(file, io))
    })
  command
    .command('inspect <path>')
    .description('print the metadata of a checkpoint or savepoint folder')
    .action(async (path: string) => {
      const { inspectSavepoint } = await import('./inspect-savepoint.ts')
      done(await inspectSavepoint(path, io))
    })
}

function declareTest(program: Command, io: CliIo, done: Done): void {
  program
    .command('test [pattern]')
    .description('prove everything that can be proven here; ends with "N passed, N failed"')
    .option('--long', 'also the tests that take minutes', false)
    .action(async (pattern: string | undefined, options: { long: boolean }) => {
      const { test } = await import('./test.ts')
      done(await test({ pattern, long: options.long }, io))
    })
}

function declareBench(program: Command, io: CliIo, done: Done): void {
  program
    .command('bench [args...]')
    .description('measure: [NAME] [--list] [--json], then what the benchmark itself takes')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (args: readonly string[]) => {
      const { bench } = await import('./bench.ts')
      done(await bench(args, io))
    })
}

function declareSim(program: Command, io: CliIo, done: Done): void {
  program
    .command('sim')
    .description('simulate checkpoints under faults; ends with "N passed, N failed"')
    .option('--seeds <n>', 'how many', parseCount, SIM_SEEDS)
    .option('--first <seed>', 'the first seed', parseCount, 1)
    .option('--trace', 'print every step', false)
    .action(async (options: { seeds: number; first: number; trace: boolean }) => {
      const { sim } = await import('./sim.ts')
      done(await sim(options, io))
    })
}

function declareTestbed(program: Command, io: CliIo, done: Done): void {
  program
    .command('testbed <verb> [what...]')
    .description('real parts for tests: up, down or status of s3, kafka, kube, …; load kube IMAGE')
    .option('--name <name>', 'several of one part have names of their own')
    .option('--host <address>', 'where s3 listens, so that pods reach it; default: the loopback')
    .option('--json', 'as JSON')
    .action(async (verb: string, [part, file]: readonly string[], options: TestbedFlags) => {
      const { testbed } = await import('./testbed.ts')
      done(await testbed({ verb, part, file, ...options }, io))
    })
}

function declareDescribe(program: Command, io: CliIo, done: Done): void {
  program
    .command('describe <file>')
    .description('make what a jobmanager starts with: the checked code of a job, and job.json')
    .requiredOption('--run <id>', 'names this start of the job, for all of its jobmanagers')
    .requiredOption('-o, --output <folder>', 'gets the two files')
    .option(
      '--restore <from>',
      'latest, continue, empty, or the folder of a checkpoint or savepoint',
    )
    .option('--from-job <id>', 'the other job whose snapshot is restored, e.g. default.orders')
    .option('--types-checked', 'the types of this code were checked before: only bundle it')
    .option('--warm', 'the jobmanager makes all ready, and begins when it is told to')
    .option('--set <path=value>', 'override a field, e.g. spec.job.args.output=out', collect, [])
    .action(async (file: string, options: DescribeFlags) => {
      const { describeJob } = await import('./describe-job.ts')
      done(await describeJob({ file, ...options }, io))
    })
}

interface DescribeFlags {
  readonly run: string
  readonly output: string
  readonly restore?: string
  readonly fromJob?: string
  readonly typesChecked?: boolean
  readonly warm?: boolean
  readonly set: readonly string[]
}

/** What kubectl starts as its plugin; all words are handed on. */
function declareKubectl(program: Command, io: CliIo, done: Done): void {
  program
    .command('kubectl [args...]')
    .description('StreamJobs on a cluster: kubectl weir, see docs/kubectl.md')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (args: readonly string[]) => {
      const { runKubectlProgram } = await import('./kubectl/kubectl-program.ts')
      done(await runKubectlProgram(args, io))
    })
}

function declareImage(program: Command, io: CliIo, done: Done): void {
  program
    .command('image')
    .description("Weir's container image")
    .command('build')
    .description('make it without Docker, as an archive in the OCI layout')
    .option('-o, --output <file>', 'the archive; weir-VERSION.oci.tar where nothing is said')
    .option('--tag <name>', 'its name and tag; localhost/weir:VERSION where nothing is said')
    .option('--stage <folder>', 'only lay out its files there, a folder for each layer')
    .option('--json', 'as JSON')
    .action(async (options: ImageOptions) => {
      const { buildImage } = await import('./image.ts')
      done(await buildImage(options, io))
    })
}

interface TestbedFlags {
  readonly name?: string
  readonly host?: string
  readonly json?: boolean
}

function parseCount(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) {
    throw new InvalidArgumentError('expected a whole number from 1 on.')
  }
  return value
}

function parsePort(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0 || value > 65_535) {
    throw new InvalidArgumentError('expected a port from 0 to 65535.')
  }
  return value
}

/** Separated by commas; may be given several times. */
function names(value: string, before: readonly string[] = []): readonly string[] {
  const given = value.split(',').map(name => name.trim())
  return [...before, ...given.filter(name => name !== '')]
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}
