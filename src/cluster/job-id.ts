/** A name that no two jobs of a store share: `<namespace>.<name>`. Neither part may hold a dot. */
export function jobIdOf(name: string, namespace = 'default'): string {
  return `${namespace}.${name.replaceAll(/[^A-Za-z0-9_-]+/g, '-')}`
}
