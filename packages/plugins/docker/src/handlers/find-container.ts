import { ContractorError, isContractorError } from '@contractor/plugin'
import type Docker from 'dockerode'
import type { ContainerState } from '../tasks.ts'
import type { Daemon } from './daemon.ts'

/** What tells our containers from others, and one call's from another's. */
export const labels = { foundation: 'contractor.foundation', call: 'contractor.call' } as const

/** The container of this name; undefined where there is none. */
export async function findContainer(daemon: Daemon, name: string): Promise<Docker.ContainerInspectInfo | undefined> {
  try {
    return await daemon.ask(abortSignal => daemon.api.getContainer(name).inspect({ abortSignal }))
  } catch (error) {
    if (isContractorError(error, 'NOT_FOUND')) return undefined
    throw error
  }
}

/** Throws for one that is not that Foundation's: somebody else made it under this name. */
export async function findOwn(daemon: Daemon, name: string): Promise<Docker.ContainerInspectInfo | undefined> {
  const found = await findContainer(daemon, name)
  if (!found || found.Config.Labels?.[labels.foundation] === name) return found
  const message = `${daemon.name}: the container '${name}' was not made by Contractor, and is left alone. Remove or rename it`
  throw new ContractorError('ALREADY_EXISTS', message, { kind: 'container', id: name })
}

export async function getOwn(daemon: Daemon, name: string): Promise<Docker.ContainerInspectInfo> {
  const found = await findOwn(daemon, name)
  if (found) return found
  throw new ContractorError('NOT_FOUND', `${daemon.name}: there is no container '${name}'`, {
    kind: 'container',
    id: name,
  })
}

/** Host ports by container port: those that it was made with, running or not. */
export function portsOf(found: Docker.ContainerInspectInfo): Record<string, number> {
  const bound = Object.entries((found.HostConfig.PortBindings ?? {}) as Record<string, { HostPort?: string }[] | null>)
  return Object.fromEntries(
    bound.flatMap(([port, hosts]) => (hosts?.[0]?.HostPort ? [[port, Number(hosts[0].HostPort)]] : [])),
  )
}

export function toState(found: Docker.ContainerInspectInfo | undefined): ContainerState {
  if (!found)
    return {
      state: 'gone',
      id: null,
      status: 'gone',
      exit_code: null,
      image: '',
      ports: {},
      address_map: {},
      call: null,
    }
  const { State: state, Config: config, NetworkSettings: net } = found
  const addresses = Object.entries(net.Networks ?? {}).flatMap(([name, { IPAddress }]) =>
    IPAddress ? [[name, IPAddress]] : [],
  )
  return {
    state: state.Running ? 'running' : 'stopped',
    id: found.Id,
    status: state.Status,
    exit_code: state.Running || state.Status === 'created' ? null : state.ExitCode,
    image: config.Image,
    ports: portsOf(found),
    address_map: Object.fromEntries(addresses),
    call: config.Labels?.[labels.call] ?? null,
  }
}
