/** A controller for a test, in the process of the test. */
import { SystemClock } from '../../src/common/clock.ts'
import { silentLogger } from '../../src/common/logger.ts'
import { SystemRandom } from '../../src/common/random.ts'
import type { ControllerConfig } from '../../src/controller/controller-config.ts'
import { Controller, type ControllerOptions } from '../../src/controller/run-controller.ts'

/** What differs between tests: its own namespace is the one that it serves, unless said otherwise. */
export interface TestController extends Partial<Omit<ControllerOptions, 'config' | 'host'>> {
  readonly connection: ControllerOptions['connection']
  readonly config: Partial<ControllerConfig> & Pick<ControllerConfig, 'namespace'>
  readonly host?: Partial<ControllerOptions['host']>
}

export interface RunningController {
  readonly controller: Controller
  /** The exit code. */
  readonly ended: Promise<number>
  /** Told to end, and ended. */
  stop(): Promise<number>
}

/** For those that die without giving it up: a successor waits as long. */
export const testLeaseTimes = { durationMs: 2_000, renewDeadlineMs: 1_500, retryMs: 100 }

/** A busy machine, which keeps a test for seconds now and then, is no reason to lose it. */
const calmLeaseTimes = { durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 100 }

export function testController(options: TestController): Controller {
  const { config, host, ...rest } = options
  return new Controller({
    masterKeys: ['a key of at least thirty-two characters'],
    logger: silentLogger,
    times: calmLeaseTimes,
    ...rest,
    host: { clock: new SystemClock(), random: new SystemRandom(), onTerm: () => {}, ...host },
    config: {
      watchNamespaces: [config.namespace],
      tenancy: false,
      userRoles: 'weir',
      engineImage: 'localhost/weir:test',
      probes: { host: '127.0.0.1', port: 0 },
      grant: undefined,
      hostName: 'test',
      ...config,
    },
  })
}

export function runTestController(options: TestController): RunningController {
  const controller = testController(options)
  const ended = controller.run()
  const stop = (): Promise<number> => {
    controller.stop()
    return ended
  }
  return { controller, ended, stop }
}
