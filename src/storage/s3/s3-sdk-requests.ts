/**
 * The requests to S3 that Weir makes, one method each, sent once. The only file that imports the
 * SDK: it is loaded with the first request, so that a job without S3 pays nothing for it.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type { S3Location } from './s3-location.ts'
import type { S3Page, S3Requests, S3Upload, UploadedPart, WriteOptions } from './s3-requests.ts'

const CONNECT_TIMEOUT_MS = 5_000
/** Without a byte from the server. */
const SILENCE_TIMEOUT_MS = 30_000
const SOCKETS_MAX = 32
/** Names the writer of an object: whose answer was lost recognises its own. */
const WRITER = 'weir-writer'

export class S3SdkRequests implements S3Requests {
  readonly #client: S3Client
  readonly #bucket: string

  constructor(location: S3Location, region: string) {
    this.#bucket = location.bucket
    this.#client = new S3Client({
      ...clientOptions(location),
      region,
      forcePathStyle: location.pathStyle,
      requestHandler: {
        connectionTimeout: CONNECT_TIMEOUT_MS,
        requestTimeout: SILENCE_TIMEOUT_MS,
        throwOnRequestTimeout: true,
        httpAgent: { keepAlive: true, maxSockets: SOCKETS_MAX },
        httpsAgent: { keepAlive: true, maxSockets: SOCKETS_MAX },
      },
      // Retries are counted and bounded in one place: `retries.ts`.
      maxAttempts: 1,
      // Servers other than AWS store the framing of streamed checksums as content.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    })
  }

  static async open(location: S3Location): Promise<S3SdkRequests> {
    const chain = new S3Client(clientOptions(location))
    const region = location.region ?? (await chain.config.region().catch(() => 'us-east-1'))
    chain.destroy()
    return new S3SdkRequests(location, region)
  }

  async put(key: string, body: Buffer, options: WriteOptions): Promise<void> {
    await this.#client.send(
      new PutObjectCommand({
        Bucket: this.#bucket,
        Key: key,
        Body: body,
        ContentLength: body.length,
        Metadata: { [WRITER]: options.writer },
        ...(options.ifAbsent ? { IfNoneMatch: '*' } : {}),
      }),
    )
  }

  async get(key: string, range: string | undefined): Promise<Buffer> {
    const answer = await this.#client.send(
      new GetObjectCommand({ Bucket: this.#bucket, Key: key, Range: range }),
    )
    const bytes = (await answer.Body?.transformToByteArray()) ?? new Uint8Array()
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    if (answer.ContentLength !== undefined && answer.ContentLength !== body.length) {
      const message = `${body.length} of ${answer.ContentLength} bytes came`
      throw Object.assign(new Error(message), { name: 'TornAnswer' })
    }
    return body
  }

  async writerOf(key: string): Promise<string | undefined> {
    const answer = await this.#client.send(
      new HeadObjectCommand({ Bucket: this.#bucket, Key: key }),
    )
    return answer.Metadata?.[WRITER]
  }

  async list(prefix: string, from: string | undefined): Promise<S3Page> {
    const answer = await this.#client.send(
      new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: prefix, ContinuationToken: from }),
    )
    const entries = (answer.Contents ?? []).map(({ Key = '', Size = 0 }) => {
      return { key: Key, sizeBytes: Size }
    })
    return { entries, next: answer.IsTruncated ? answer.NextContinuationToken : undefined }
  }

  async delete(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key }))
  }

  async deleteMany(
    keys: readonly string[],
  ): Promise<readonly { readonly key: string; readonly reason: string }[]> {
    const answer = await this.#client.send(
      new DeleteObjectsCommand({
        Bucket: this.#bucket,
        Delete: { Quiet: true, Objects: keys.map(Key => ({ Key })) },
      }),
    )
    return (answer.Errors ?? [])
      .filter(error => error.Code !== 'NoSuchKey')
      .map(({ Key = '', Code = '', Message = '' }) => ({ key: Key, reason: `${Code}: ${Message}` }))
  }

  async beginUpload(key: string, writer: string): Promise<string> {
    const answer = await this.#client.send(
      new CreateMultipartUploadCommand({
        Bucket: this.#bucket,
        Key: key,
        Metadata: { [WRITER]: writer },
      }),
    )
    return answer.UploadId ?? ''
  }

  async uploadPart({ key, id }: S3Upload, number: number, body: Buffer): Promise<string> {
    const answer = await this.#client.send(
      new UploadPartCommand({
        Bucket: this.#bucket,
        Key: key,
        UploadId: id,
        PartNumber: number,
        Body: body,
        ContentLength: body.length,
      }),
    )
    return answer.ETag ?? ''
  }

  async completeUpload(
    { key, id }: S3Upload,
    parts: readonly UploadedPart[],
    ifAbsent: boolean,
  ): Promise<void> {
    await this.#client.send(
      new CompleteMultipartUploadCommand({
        Bucket: this.#bucket,
        Key: key,
        UploadId: id,
        MultipartUpload: {
          Parts: parts.map(({ number, tag }) => ({ PartNumber: number, ETag: tag })),
        },
        ...(ifAbsent ? { IfNoneMatch: '*' } : {}),
      }),
    )
  }

  async abortUpload({ key, id }: S3Upload): Promise<void> {
    await this.#client.send(
      new AbortMultipartUploadCommand({ Bucket: this.#bucket, Key: key, UploadId: id }),
    )
  }
}

function clientOptions({ endpoint, region }: S3Location): {
  readonly endpoint?: string
  readonly region?: string
} {
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
  }
}
