import {
  CreateBucketCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3'
import type { PartEnvironment } from '../../testbed/part.ts'

/** A client of the tests' own, beside the one under test. */
export class TestBuckets {
  readonly #client: S3Client
  #count = 0

  constructor(environment: PartEnvironment) {
    const { WEIR_TESTBED_S3: endpoint = '', AWS_REGION: region = 'us-east-1' } = environment
    const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } =
      environment
    this.#client = new S3Client({
      endpoint,
      region,
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
    })
  }

  /** A new empty bucket. */
  async make(): Promise<string> {
    const bucket = `weir-test-${process.pid}-${Date.now()}-${this.#count++}`
    await this.#client.send(new CreateBucketCommand({ Bucket: bucket }))
    return bucket
  }

  /** What is in it, up to a thousand. */
  async keys(bucket: string, prefix: string): Promise<readonly string[]> {
    const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix })
    const { Contents: found = [] } = await this.#client.send(command)
    return found.flatMap(({ Key: key }) => key ?? [])
  }

  /** Uploads in parts that nobody completed or aborted. */
  async openUploads(bucket: string): Promise<number> {
    const answer = await this.#client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
    return answer.Uploads?.length ?? 0
  }

  close(): void {
    this.#client.destroy()
  }
}
