import { storageErrors } from '../storage-errors.ts'

/** A bucket, and how to reach the server that has it. */
export interface S3Location {
  readonly bucket: string
  /** Before every key: empty, or ending in a slash. */
  readonly prefix: string
  /** Absent: that of AWS, or what `AWS_ENDPOINT_URL_S3` says. */
  readonly endpoint: string | undefined
  /** Absent: the usual chain (`AWS_REGION`, the profile), else us-east-1. */
  readonly region: string | undefined
  /** The bucket in the path of the URL, which every server understands; else in the host name. */
  readonly pathStyle: boolean
}

const known = ['endpoint', 'region', 'pathStyle']

/**
 * Reads `s3://bucket/prefix?endpoint=http://host:port&region=r&pathStyle=false`. Throws
 * WEIR_STORE_LOCATION_INVALID.
 */
export function parseS3Location(location: string): S3Location {
  const [place = '', query = ''] = location.slice('s3://'.length).split('?', 2)
  const [bucket = '', ...folders] = place.split('/')
  const refuse = (reason: string): never => {
    throw storageErrors.WEIR_STORE_LOCATION_INVALID({ location: withoutSecrets(location), reason })
  }
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    refuse(
      bucket.includes('@')
        ? 'credentials do not belong into it'
        : `${JSON.stringify(bucket)} is no bucket name`,
    )
  }
  const parameters = new URLSearchParams(query)
  for (const name of parameters.keys()) {
    if (!known.includes(name)) refuse(`it knows ${known.join(', ')}, not ${name}`)
  }
  const pathStyle = parameters.get('pathStyle') ?? 'true'
  if (pathStyle !== 'true' && pathStyle !== 'false') refuse('pathStyle is true or false')
  const endpoint = parameters.get('endpoint') ?? undefined
  if (endpoint !== undefined) {
    const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
    if (url === undefined || !/^https?:$/.test(url.protocol)) {
      refuse('endpoint is a URL such as http://127.0.0.1:9000')
    }
    if (url?.username || url?.password) refuse('credentials do not belong into the endpoint')
  }
  const prefix = folders.filter(folder => folder !== '').join('/')
  return {
    bucket,
    prefix: prefix === '' ? '' : `${prefix}/`,
    endpoint,
    region: parameters.get('region') ?? undefined,
    pathStyle: pathStyle === 'true',
  }
}

function withoutSecrets(location: string): string {
  return location.replace(/\/\/[^/@?]*@/g, '//').replace(/(endpoint=\w+:\/\/)[^/@&]*@/, '$1')
}
