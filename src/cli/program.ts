/**
 * The commands of `weir`: names, arguments and help. Each verb is a file of its own, loaded when it
 * is asked for, so that a start pays for one verb only. The home of commander.
 */
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { type CliIo, exitCodes } from './cli-io.ts'
import { describeError } from './describe-error.ts'
import { findInstallation } from './installation.ts'

const exitCodesHelp = `
Exit codes:
  0    done
  1    the job failed, or a test did
  2    wrong usage, manifest or job: nothing was started
  130  stopped by Ctrl-C (143: by SIGTERM)`

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
  declareSavepoint(program, io, done)
  declareTest(program, io, done)
  declareBench(program, io, done)
  return program
}

function declareRun(program: Command, io: CliIo, done: Done): void {
  program
    .command('run <file>')
    .description('run a StreamJob manifest or a job module here, to its end if its input has one')
    .option('-p, --parallelism <n>', 'slots, instead of spec.parallelism', parseCount)
    .option('--restore <from>', 'start from a checkpoint or savepoint: latest, or a folder')
    .option('--set <path=value>', 'override a field, e.g. spec.job.args.output=out', collect, [])
    .option('--state <backend>', 'state backend, instead of spec.stateBackend.type')
    .action(async (file: string, options: RunFlags) => {
      const { run } = await import('./run.ts')
      done(await run({ file, ...options }, io))
    })
}

interface RunFlags {
  readonly parallelism?: number
  readonly restore?: string
  readonly set: readonly string[]
  readonly state?: string
}

function declarePlan(program: Command, io: CliIo, done: Done): void {
  program
    .command('plan <file>')
    .description('print the graph of a job: chains, shuffles, state, warnings; runs nothing')
    .option('-p, --parallelism <n>', 'slots, instead of spec.parallelism', parseCount)
    .option('--set <path=value>', 'override a field, e.g. spec.job.args.output=out', collect, [])
    .option('--json', 'as JSON')
    .option('--mermaid', 'as a Mermaid flowchart')
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
}

function declareSavepoint(program: Command, io: CliIo, done: Done): void {
  program
    .command('savepoint')
    .description('look into stored checkpoints and savepoints')
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

function parseCount(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) {
    throw new InvalidArgumentError('expected a whole number from 1 on.')
  }
  return value
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}
