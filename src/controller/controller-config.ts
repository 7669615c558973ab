/** What the environment tells the controller. */
import { configErrors } from '../common/config.ts'

export interface ControllerConfig {
  /** `WEIR_NAMESPACE`: its own, where its lease is. Default `weir-system`. */
  readonly namespace: string
  /** `WEIR_WATCH_NAMESPACES`: those whose jobs it serves, with commas between; unset: all. */
  readonly watchNamespaces: readonly string[]
  /** `WEIR_TENANCY`: `on` or `off`. Default `on` where the jobs of all namespaces are served. */
  readonly tenancy: boolean
  /** `WEIR_USER_ROLES`: ClusterRoles of people, NAME-admin, -editor, -viewer. Default `weir`. */
  readonly userRoles: string
  /** `WEIR_ENGINE_IMAGE`: of jobs that name none. */
  readonly engineImage: string
  /** `WEIR_PROBES`: host and port of probes and metrics. Default `0.0.0.0:8081`. */
  readonly probes: { readonly host: string; readonly port: number }
  /** Unset: what it may, it may already. */
  readonly grant: WriterGrant | undefined
  /** `HOSTNAME`: a pod's name. */
  readonly hostName: string
}

/** How the controller comes by the right to write where jobs are. */
export interface WriterGrant {
  /** `WEIR_WRITER_ROLE`: the ClusterRole that it binds itself to in each namespace with a job. */
  readonly role: string
  /** `WEIR_SERVICE_ACCOUNT`: itself, in its own namespace. */
  readonly account: string
}

/** Throws WEIR_CONFIG_INVALID. */
export function readControllerConfig(
  environment: Readonly<Record<string, string | undefined>>,
): ControllerConfig {
  const text = (name: string, otherwise: string): string => {
    const value = environment[name]
    return value === undefined || value === '' ? otherwise : value
  }
  const engineImage = text('WEIR_ENGINE_IMAGE', '')
  if (engineImage === '') {
    throw configErrors.WEIR_CONFIG_INVALID({
      name: 'WEIR_ENGINE_IMAGE',
      value: engineImage,
      expected: 'the image of Weir that jobs run in',
    })
  }
  const probes = text('WEIR_PROBES', '0.0.0.0:8081')
  const [, host = '', port = ''] = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(probes) ?? []
  if (host === '' || Number(port) > 65_535) {
    throw configErrors.WEIR_CONFIG_INVALID({
      name: 'WEIR_PROBES',
      value: probes,
      expected: 'a host and a port, such as 0.0.0.0:8081',
    })
  }
  const watchNamespaces = namespacesIn(text('WEIR_WATCH_NAMESPACES', ''))
  const tenancy = text('WEIR_TENANCY', watchNamespaces.length === 0 ? 'on' : 'off')
  if (tenancy !== 'on' && tenancy !== 'off') {
    throw configErrors.WEIR_CONFIG_INVALID({
      name: 'WEIR_TENANCY',
      value: tenancy,
      expected: 'on or off',
    })
  }
  return {
    namespace: text('WEIR_NAMESPACE', 'weir-system'),
    watchNamespaces,
    tenancy: tenancy === 'on',
    userRoles: text('WEIR_USER_ROLES', 'weir'),
    engineImage,
    probes: { host, port: Number(port) },
    grant: grantOf(text('WEIR_WRITER_ROLE', ''), text('WEIR_SERVICE_ACCOUNT', '')),
    hostName: text('HOSTNAME', 'controller'),
  }
}

const namespaceName = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

function namespacesIn(value: string): readonly string[] {
  const names = value.split(',').map(name => name.trim())
  if (value === '') return []
  if (names.every(name => namespaceName.test(name))) return [...new Set(names)]
  throw configErrors.WEIR_CONFIG_INVALID({
    name: 'WEIR_WATCH_NAMESPACES',
    value,
    expected: 'names of namespaces with commas between',
  })
}

function grantOf(role: string, account: string): WriterGrant | undefined {
  if (role === '') return undefined
  if (account === '') {
    throw configErrors.WEIR_CONFIG_INVALID({
      name: 'WEIR_SERVICE_ACCOUNT',
      value: account,
      expected: 'the service account that is bound to the role of WEIR_WRITER_ROLE',
    })
  }
  return { role, account }
}
