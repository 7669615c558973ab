/** A controller outside of a cluster, whose API server goes away for longer than it may lead. */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { SystemClock } from '../../src/common/clock.ts'
import { SystemRandom } from '../../src/common/random.ts'
import { readKubeConfig } from '../../src/controller/kube/kube-config.ts'
import { runController } from '../../src/controller/run-controller.ts'
import { describeWithPart } from '../testbed/describe-with-part.ts'
import { connectTo, installCrds } from './test-cluster.ts'

/** The way to the server, which can be cut. */
class Way {
  readonly #sockets = new Set<Socket>()
  readonly #server
  isCut = false

  constructor(target: URL) {
    this.#server = createServer(near => {
      if (this.isCut) return void near.destroy()
      const far = connect(Number(target.port), target.hostname)
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one)
        one.on('error', () => other.destroy()).on('close', () => other.destroy())
        one.pipe(other)
      }
    })
  }

  async open(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  cut(): void {
    this.isCut = true
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
  }

  close(): void {
    this.cut()
    this.#server.close()
  }
}

await describeWithPart('a controller outside of a cluster', 'kube-control', environment => {
  const cluster = connectTo(environment)
  const readFile = (path: string): string => readFileSync(path, 'utf8')
  const { server } = readKubeConfig({ environment, readFile })
  let way: Way
  let namespace = ''

  beforeAll(async () => {
    await installCrds(cluster)
    namespace = await cluster.namespace()
    way = new Way(new URL(server))
  })
  afterAll(async () => {
    way.close()
    await cluster.close()
  })

  test('L2: loses its lease while the server is away, stands by, and leads again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-stand-by-'))
    const port = await way.open()
    const kubeconfig = join(folder, 'kubeconfig')
    const config = readFile(environment.KUBECONFIG ?? '')
    writeFileSync(kubeconfig, config.replace(server, `https://127.0.0.1:${port}`))
    const keyFile = join(folder, 'master-key')
    writeFileSync(keyFile, 'a key of at least thirty-two characters', { mode: 0o600 })
    const said: string[] = []
    let wake = (): void => {}
    const until = async (count: number, message: string): Promise<void> => {
      while (said.filter(one => one === message).length < count) {
        await new Promise<void>(resolve => (wake = resolve))
      }
    }
    let tell = (): void => {}
    const ended = runController({
      environment: {
        KUBECONFIG: kubeconfig,
        WEIR_NAMESPACE: namespace,
        WEIR_WATCH_NAMESPACES: namespace,
        WEIR_ENGINE_IMAGE: 'localhost/weir:test',
        WEIR_MASTER_KEY_FILE: keyFile,
        WEIR_PROBES: '127.0.0.1:0',
        WEIR_LOG: 'info',
      },
      readFile,
      log: line => {
        said.push((JSON.parse(line) as { readonly msg: string }).msg)
        wake()
      },
      clock: new SystemClock(),
      random: new SystemRandom(),
      onTerm: callback => (tell = callback),
    })
    await until(1, 'leads')
    way.cut()
    await until(1, 'stands by again')
    way.isCut = false
    await until(2, 'leads')
    tell()
    expect(await ended).toBe(0)
  })
})
