/** A place below a store, apart: the folder's or object's own name, and the store that has it. */
export interface SplitLocation {
  readonly location: string
  readonly name: string
}

/** Splits a URL such as `s3://bucket/jobs/chk-1?endpoint=...`; the query belongs to the store. */
export function splitLocation(url: string): SplitLocation {
  const [path = '', query] = url.split('?', 2)
  const whole = path.replace(/\/+$/, '')
  const at = whole.lastIndexOf('/')
  const location = whole.slice(0, at)
  return {
    location: query === undefined ? location : `${location}?${query}`,
    name: whole.slice(at + 1),
  }
}

/** The other way round: the URL of something below a store. */
export function joinLocation({ location, name }: SplitLocation): string {
  const [path = '', query] = location.split('?', 2)
  return query === undefined ? `${path}/${name}` : `${path}/${name}?${query}`
}
