import { setTimeout as delay } from 'node:timers/promises'
import { deviceError } from '@contractor/driver'
import { ContractorError, type HandlerContext, isContractorError } from '@contractor/plugin'
import type Docker from 'dockerode'
import type { z } from 'zod'
import type { ContainerSpec, PortMap } from '../container-spec.ts'
import type { tasks } from '../tasks.ts'
import { type Daemon, openDaemon } from './daemon.ts'
import { findOwn, labels, portsOf } from './find-container.ts'
import { findImage, pullImage } from './pull-image.ts'

type Wanted = z.output<(typeof tasks)['create']['params']>

/**
 * Makes a container. What an attempt before has left is found by its name and the call's id: the whole container is the answer,
 * since Docker makes it at once or not at all; one of another call is refused.
 */
export async function createContainer(
  wanted: Wanted,
  context: HandlerContext,
): Promise<{ id: string; ports: PortMap }> {
  const { name, spec, callId, login } = wanted
  const daemon = openDaemon(wanted, context)
  const before = await findMade(daemon, name, callId)
  if (before) return before
  if ((await findImage(daemon, spec.image)) === undefined) await pullImage(daemon, spec.image, login, context)
  const ports = await choosePorts(daemon, wanted)
  const options = toOptions(name, spec, ports, callId)
  try {
    const { id } = await daemon.ask(abortSignal => daemon.api.createContainer({ ...options, abortSignal }))
    return { id, ports }
  } catch (error) {
    if (!isContractorError(error, 'ALREADY_EXISTS')) throw error
    return awaitMade(daemon, name, callId, context.signal)
  }
}

/** A name is taken before its container can be seen: an attempt of ours, whose answer was lost, may be at it still. */
async function awaitMade(daemon: Daemon, name: string, callId: string, signal: AbortSignal) {
  for (let attempt = 0; attempt < 20; attempt++) {
    const made = await findMade(daemon, name, callId)
    if (made) return made
    await delay(250, undefined, { signal })
  }
  throw deviceError('DEVICE_BUSY', daemon.name, `the name '${name}' is taken by a container that cannot be seen`)
}

async function findMade(daemon: Daemon, name: string, callId: string) {
  const found = await findOwn(daemon, name)
  if (!found) return undefined
  if (found.Config.Labels?.[labels.call] === callId) return { id: found.Id, ports: portsOf(found) }
  const message = `${daemon.name}: Foundation '${name}' has a container already, from another call. Destroy it first`
  throw new ContractorError('ALREADY_EXISTS', message, { kind: 'container', id: name })
}

/** Those that are asked for, and free ones of the pool where none is. All containers count, those that do not run as well. */
async function choosePorts(daemon: Daemon, { spec, ports, pool, name }: Wanted): Promise<PortMap> {
  const wanted = { ...Object.fromEntries(spec.port_list.map(port => [port, 0])), ...ports }
  const taken = new Map<number, string>()
  const containers = await daemon.ask(abortSignal => daemon.api.listContainers({ all: true, abortSignal }))
  for (const { Id, Names } of containers) {
    const found = await daemon.ask(abortSignal => daemon.api.getContainer(Id).inspect({ abortSignal })).catch(isGone)
    if (found) for (const port of Object.values(portsOf(found))) taken.set(port, Names[0]?.slice(1) ?? Id)
  }
  const [first = 0, last = 0] = pool.split('-').map(Number)
  const chosen: PortMap = {}
  for (const [inner, outer] of Object.entries(wanted)) {
    const owner = taken.get(outer)
    if (owner !== undefined)
      throw deviceError(
        'DEVICE_REFUSED',
        daemon.name,
        `port ${outer}, which '${name}' is to have, is container '${owner}'’s`,
      )
    const port = outer || findFree(first, last, taken)
    if (port === undefined)
      throw deviceError(
        'DEVICE_FULL',
        daemon.name,
        `all ports of its pool ${pool} are taken by containers: make docker_ports larger`,
      )
    chosen[inner] = port
    taken.set(port, name)
  }
  return chosen
}

function findFree(first: number, last: number, taken: ReadonlyMap<number, string>): number | undefined {
  for (let port = first; port <= last; port++) if (!taken.has(port)) return port
  return undefined
}

/** One that is removed while it is looked at has no ports any more. */
function isGone(error: unknown): undefined {
  if (isContractorError(error, 'NOT_FOUND')) return undefined
  throw error
}

function toOptions(name: string, spec: ContainerSpec, ports: PortMap, callId: string): Docker.ContainerCreateOptions {
  return {
    name,
    Image: spec.image,
    ...(spec.hostname !== null && { Hostname: spec.hostname }),
    ...(spec.command !== null && { Cmd: spec.command }),
    Env: Object.entries(spec.environment_map).map(([key, value]) => `${key}=${value}`),
    Labels: { ...spec.label_map, [labels.foundation]: name, [labels.call]: callId },
    ExposedPorts: Object.fromEntries(Object.keys(ports).map(port => [port, {}])),
    HostConfig: {
      PortBindings: Object.fromEntries(
        Object.entries(ports).map(([port, host]) => [port, [{ HostPort: String(host) }]]),
      ),
      Binds: spec.mount_list.map(({ source, target, read_only }) => `${source}:${target}${read_only ? ':ro' : ''}`),
      RestartPolicy: { Name: spec.restart === 'no' ? '' : spec.restart },
      ...(spec.memory_size !== null && { Memory: spec.memory_size * 1024 * 1024 }),
      ...(spec.cpu_count !== null && { NanoCpus: Math.round(spec.cpu_count * 1e9) }),
      ...(spec.network !== null && { NetworkMode: spec.network }),
    },
  }
}
