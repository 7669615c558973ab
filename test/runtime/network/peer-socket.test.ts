import { linkSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from '@jest/globals'
import { SystemClock } from '../../../src/common/clock.ts'
import {
  advertisedAddress,
  dialPeer,
  type ListenOptions,
  listenForPeers,
  loadTls,
  type TlsSettings,
} from '../../../src/runtime/network/peer-socket.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { ownTls, strangeTls } from './tls-fixture.ts'

const ofStranger: TlsSettings = { ...strangeTls, ca: ownTls.ca }

const folder = mkdtempSync(join(tmpdir(), 'weir-sockets-'))
const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function listen(options: Partial<ListenOptions>) {
  const warnings: unknown[] = []
  const server = await listenForPeers({
    address: 'tcp://127.0.0.1:0',
    // Says what it hears.
    accept: socket => {
      socket.on('error', () => {})
      socket.pipe(socket)
    },
    warn: error => warnings.push(error),
    ...options,
  })
  closing.push(() => server.close())
  const address = advertisedAddress(server, options.address ?? 'tcp://127.0.0.1:0')
  return { server, address, warnings }
}

async function dial(address: string, tls?: TlsSettings): Promise<Socket> {
  const made = (socket: Socket): void => {
    closing.push(() => socket.destroy())
  }
  return dialPeer({ address, peer: 'slot 1', made, tls, clock: new SystemClock() })
}

async function echo(socket: Socket, text: string): Promise<string> {
  socket.write(text)
  const heard: Buffer[] = []
  for await (const chunk of socket) {
    heard.push(chunk as Buffer)
    if (Buffer.concat(heard).length >= text.length) break
  }
  return Buffer.concat(heard).toString()
}

test.each(['unix', 'tcp'])('two ends talk over %s', async kind => {
  const { address } = await listen(kind === 'unix' ? { address: `unix:${join(folder, 'a')}` } : {})
  expect(await echo(await dial(address), 'hello')).toBe('hello')
})

describe('with TLS', () => {
  test('two ends of one authority talk', async () => {
    const tls = await loadTls(ownTls)
    const { address } = await listen({ tls })
    expect(await echo(await dial(address, tls), 'hello')).toBe('hello')
  })

  test('also over a Unix socket', async () => {
    const tls = await loadTls(ownTls)
    const { address } = await listen({ tls, address: `unix:${join(folder, 'tls')}` })
    expect(await echo(await dial(address, tls), 'hello')).toBe('hello')
  })

  test('a dialer that another authority signed is turned away', async () => {
    const { address, warnings } = await listen({ tls: await loadTls(ownTls) })
    const socket = await dial(address, await loadTls(ofStranger))
    socket.on('error', () => {})
    await new Promise(resolve => socket.once('close', resolve))
    expect(warnings).toHaveLength(1)
  })

  test('a listener that another authority signed is not talked to', async () => {
    const { address } = await listen({ tls: await loadTls(ofStranger) })
    const dialing = dial(address, await loadTls(ownTls))
    await expect(dialing).rejects.toMatchObject({ code: 'WEIR_PEER_UNREACHABLE' })
  })

  test('an end without it is turned away', async () => {
    const { address, warnings } = await listen({ tls: await loadTls(ownTls) })
    const socket = await dial(address)
    socket.on('error', () => {})
    socket.end('hello, this is no TLS')
    socket.resume()
    await new Promise(resolve => socket.once('close', resolve))
    expect(warnings).toHaveLength(1)
  })

  test('PEM may be given itself, and what cannot be read is named', async () => {
    expect(await loadTls(ownTls)).toEqual(ownTls)
    const path = (name: string): string => join(folder, `${name}.pem`)
    for (const name of ['cert', 'key', 'ca'] as const) writeFileSync(path(name), ownTls[name])
    const paths = { cert: path('cert'), key: path('key'), ca: path('ca') }
    expect(await loadTls(paths)).toEqual(ownTls)
    await expect(loadTls({ ...paths, key: path('none') })).rejects.toThrow(
      /the key of TLS cannot be read from .*none.pem/,
    )
  })
})

describe('who does not answer is not waited for', () => {
  /** The time is over right after the event, before the kernel's answer can be looked at. */
  const dialUntil = async (event: string, options: { address: string; tls?: TlsSettings }) => {
    const clock = new ManualClock()
    const made = (socket: Socket): void => {
      closing.push(() => socket.destroy())
      socket.once(event, () => process.nextTick(() => clock.advance(60_000)))
    }
    return dialPeer({ ...options, peer: 'slot 1', made, clock })
  }

  test('with a connection', async () => {
    const { address } = await listen({})
    await expect(dialUntil('connectionAttempt', { address })).rejects.toThrow(
      /slot 1: nobody answered in 2 s/,
    )
  })

  test('with the handshake of TLS', async () => {
    const { address } = await listen({
      accept: socket => void closing.push(() => socket.destroy()),
    })
    const dialing = dialUntil('connect', { address, tls: await loadTls(ownTls) })
    await expect(dialing).rejects.toThrow(/slot 1: no handshake of TLS in 10 s/)
  })
})

describe('an address that is taken', () => {
  test('by a process that lives stays with it', async () => {
    const address = `unix:${join(folder, 'lives')}`
    await listen({ address })
    await expect(listen({ address })).rejects.toMatchObject({ code: 'WEIR_LISTEN_FAILED' })
  })

  test('by a file stays with it', async () => {
    const path = join(folder, 'file')
    writeFileSync(path, 'precious')
    await expect(listen({ address: `unix:${path}` })).rejects.toMatchObject({
      code: 'WEIR_LISTEN_FAILED',
    })
    expect(readFileSync(path, 'utf8')).toBe('precious')
  })

  test('by a process that was killed is taken over', async () => {
    const path = join(folder, 'killed')
    await leaveBehind(path)
    const { address } = await listen({ address: `unix:${path}` })
    expect(await echo(await dial(address), 'hello')).toBe('hello')
  })
})

/** A socket whose owner is gone: Node would remove it, a killed process cannot. */
async function leaveBehind(path: string): Promise<void> {
  const owner: Server = createServer()
  const other = `${path}-owned`
  await new Promise<void>(resolve => owner.listen(other, resolve))
  linkSync(other, path)
  await new Promise(resolve => owner.close(resolve))
}
