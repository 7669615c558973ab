/** What people are shown, without secrets: words of others may have some. */
const secretName = /secret|passw|token|credential|(api|access|private)[-_]?key|auth/i

/** `AWS_SECRET_ACCESS_KEY=…`, `"password": "…"`; not a mere colon, which ends many a sentence. */
const assigned = new RegExp(
  `(["']?[\\w.-]*(?:${secretName.source})[\\w.-]*(?:["']\\s*[:=]|=)\\s*["']?)[^\\s"',;&)}\\]]+`,
  'gi',
)

/** Fields as they may be shown: values under a secret's name and logins in URLs are hidden. */
export function redact<T extends string | number>(
  fields: Readonly<Record<string, T>>,
): Record<string, T | string> {
  const shown = Object.entries(fields).map(([name, value]) => {
    if (secretName.test(name)) return [name, '***'] as const
    return [name, typeof value === 'string' ? redactUrl(value) : value] as const
  })
  return Object.fromEntries(shown)
}

/** `s3://user:word@host` becomes `s3://***@host`; so do signed and secret query parameters. */
export function redactUrl(text: string): string {
  return text
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, '$1***@')
    .replaceAll(
      /([?&][^=&\s]*(?:secret|passw|token|sign|credential|key)[^=&\s]*=)[^&\s]*/gi,
      '$1***',
    )
}

/** Words of somebody else (a process that ended, an admission rule) before they become public. */
export function redactText(text: string): string {
  return redactUrl(text)
    .replaceAll(assigned, '$1***')
    .replaceAll(/(authorization:\s*(?:\w+\s+)?|bearer\s+)[\w.~+/=-]{8,}/gi, '$1***')
}
