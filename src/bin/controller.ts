/** The door of the controller: the Kubernetes side of Weir. */
import { readFileSync } from 'node:fs'
import { setSourceMapsSupport } from 'node:module'
import process from 'node:process'
import { SystemClock } from '../common/clock.ts'
import { SystemRandom } from '../common/random.ts'
import { runController } from '../controller/run-controller.ts'

setSourceMapsSupport(true, { nodeModules: false, generatedCode: false })
process.exit(
  await runController({
    environment: process.env,
    readFile: path => readFileSync(path, 'utf8'),
    log: line => void process.stderr.write(line),
    clock: new SystemClock(),
    random: new SystemRandom(),
    onTerm: callback => void process.on('SIGTERM', callback).on('SIGINT', callback),
  }),
)
