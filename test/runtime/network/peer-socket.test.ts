import type { AddressInfo, Server, Socket } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import {
  dialPeer,
  makePeerServer,
  type TlsSettings,
} from '../../../src/runtime/network/peer-socket.ts'
import { ownTls, strangeTls } from './tls-fixture.ts'

const open: (Server | Socket)[] = []

afterEach(() => {
  for (const one of open.splice(0)) {
    if ('destroy' in one) one.destroy()
    else one.close()
  }
})

/** An echo on a free port. */
async function listen(tls: TlsSettings | undefined): Promise<string> {
  const server = makePeerServer(tls, socket => {
    open.push(socket)
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  // What a stranger does wrong is no concern of the server.
  server.on('tlsClientError', () => {})
  open.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** What comes back for a word; rejects when the connection ends instead. */
async function echo(address: string, tls: TlsSettings | undefined): Promise<string> {
  const socket = await dialPeer({ address, peer: 'a peer', tls })
  open.push(socket)
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('closed')))
    socket.on('data', chunk => resolve(chunk.toString()))
    socket.write('a whole word')
  })
}

describe.each([
  ['plain', undefined],
  ['encrypted', ownTls],
])('%s', (_, tls) => {
  test('what is sent arrives', async () => {
    expect(await echo(await listen(tls), tls)).toBe('a whole word')
  })

  test('nobody there is an error with a code', async () => {
    const address = 'tcp://127.0.0.1:1'
    await expect(dialPeer({ address, peer: 'slot 3', tls })).rejects.toMatchObject({
      code: 'WEIR_PEER_UNREACHABLE',
      message: expect.stringMatching(/^cannot connect to slot 3/),
    })
  })
})

test('a server of another authority is refused', async () => {
  await expect(echo(await listen(strangeTls), ownTls)).rejects.toMatchObject({
    code: 'WEIR_PEER_UNREACHABLE',
  })
})

test('so is whoever shows a certificate of another one, or none', async () => {
  const address = await listen(ownTls)
  await expect(echo(address, { ...strangeTls, ca: ownTls.ca })).rejects.toThrow()
  await expect(echo(address, undefined)).rejects.toThrow()
})
