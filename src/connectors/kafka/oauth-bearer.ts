/**
 * SASL OAUTHBEARER for a connection of kafkajs. Its own takes a refusal for success: a broker that
 * does not like a token says so in words, waits for a last one of the client, and only then fails.
 */
import { messageOf } from '../../common/errors.ts'

/** The broker does not take the token. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused'
}

interface Turn {
  readonly request: { readonly encode: () => Promise<Buffer> }
  readonly response: {
    readonly decode: (answer: Buffer) => Promise<Buffer>
    readonly parse: (answer: Buffer) => Promise<Buffer>
  }
}

type SaslAuthenticate = (turn: Turn) => Promise<Buffer>

const END = '\u0001'

/** What kafkajs wants to hear about a mechanism. */
export function oauthBearer(token: () => string | Promise<string>): object {
  const authenticate = async (say: SaslAuthenticate): Promise<void> => {
    const value = await tokenOf(token)
    const answer = await say(turnOf(`n,,${END}auth=Bearer ${value}${END}${END}`)).catch(refused)
    if (answer.length === 0) return
    const reason = await say(turnOf(END)).then(() => '', messageOf)
    throw new TokenRefused(`${answer.toString()} ${reason}`.trim())
  }
  return {
    mechanism: 'oauthbearer',
    authenticationProvider: ({ saslAuthenticate }: { saslAuthenticate: SaslAuthenticate }) => ({
      authenticate: () => authenticate(saslAuthenticate),
    }),
  }
}

/** What is no token at all is refused without words in between. */
function refused(error: Error): never {
  throw error.name === 'KafkaJSProtocolError' ? new TokenRefused(error.message) : error
}

async function tokenOf(token: () => string | Promise<string>): Promise<string> {
  try {
    return await token()
  } catch (error) {
    throw new Error(`the option sasl.token gave no token: ${messageOf(error)}`, { cause: error })
  }
}

/** kafkajs passes bytes on with their length before them, both ways. */
function turnOf(words: string): Turn {
  const bytes = Buffer.alloc(4 + Buffer.byteLength(words))
  bytes.write(words, bytes.writeInt32BE(bytes.length - 4, 0))
  return {
    request: { encode: async () => bytes },
    response: { decode: async answer => answer.subarray(4), parse: async answer => answer },
  }
}
