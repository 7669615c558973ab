/**
 * The user's own kubectl: it brings the user's cluster, login and rights, and Weir keeps no second
 * copy of them.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { defineErrors } from '../../common/errors.ts'
import type { CliIo } from '../cli-io.ts'

export const kubectlErrors = defineErrors({
  WEIR_KUBECTL_MISSING: {
    domain: 'user',
    retry: 'never',
    message: (e: { reason: string }) => `kubectl cannot be started: ${e.reason}`,
    next: 'install kubectl, and have its folder in PATH',
  },
  WEIR_KUBECTL_REFUSED: {
    domain: 'external',
    retry: 'later',
    message: (e: { command: string; said: string }) => `kubectl ${e.command}: ${e.said}`,
    next: 'the words are those of kubectl: check cluster, namespace and rights',
  },
})

/** Flags of kubectl that say where. */
export interface KubectlTarget {
  readonly namespace?: string | undefined
  readonly context?: string | undefined
  readonly kubeconfig?: string | undefined
}

export interface KubectlAnswer {
  readonly code: number
  readonly out: string
  readonly err: string
}

export class Kubectl {
  readonly #io: CliIo
  readonly #where: readonly string[]

  constructor(target: KubectlTarget, io: CliIo) {
    this.#io = io
    const flags = ['namespace', 'context', 'kubeconfig'] as const
    this.#where = flags.flatMap(flag => {
      const value = target[flag]
      return value === undefined ? [] : [`--${flag}`, value]
    })
  }

  /** Runs it to its end, however that is. */
  ask(args: readonly string[], input = ''): Promise<KubectlAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<KubectlAnswer>()
    const child = this.#start(args, ['pipe', 'pipe', 'pipe'])
    const said = { out: '', err: '' }
    for (const [name, stream] of [['out', child.stdout] as const, ['err', child.stderr] as const]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said[name] += text
      })
    }
    // One that has ended already takes no input: its exit code says more.
    child.stdin?.on('error', () => {}).end(input)
    child.on('error', error => reject(missing(error)))
    child.on('close', code => resolve({ ...said, code: code ?? 1 }))
    return promise
  }

  /** What it prints. Throws WEIR_KUBECTL_REFUSED, with its words. */
  async output(args: readonly string[], input?: string): Promise<string> {
    const { code, out, err } = await this.ask(args, input)
    if (code === 0) return out
    throw kubectlErrors.WEIR_KUBECTL_REFUSED({ command: args.join(' '), said: err.trim() })
  }

  async json<T>(args: readonly string[]): Promise<T> {
    return JSON.parse(await this.output([...args, '--output', 'json'])) as T
  }

  /** On this terminal; gives its exit code. Ctrl-C ends it, and it says so by its code. */
  show(args: readonly string[]): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const child = this.follow(args)
    const release = this.#io.onStop(signal => child.kill(signal))
    child.on('error', error => reject(missing(error)))
    child.on('close', code => {
      release()
      resolve(code ?? 1)
    })
    return promise
  }

  /** On this terminal, until it ends or is ended. */
  follow(args: readonly string[]): ChildProcess {
    const child = this.#start(args, ['ignore', 'pipe', 'pipe'])
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#io.out.write(text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#io.err.write(text))
    return child
  }

  #start(args: readonly string[], stdio: ('pipe' | 'ignore')[]): ChildProcess {
    const env = { ...this.#io.environment }
    return spawn('kubectl', [...this.#where, ...args], { cwd: this.#io.cwd, env, stdio })
  }
}

function missing(error: Error): Error {
  return kubectlErrors.WEIR_KUBECTL_MISSING({ reason: error.message }, error)
}
