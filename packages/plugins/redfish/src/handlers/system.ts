import { deviceError, type PowerAction, type PowerState } from '@contractor/driver'
import { ContractorError, isContractorError, type Json } from '@contractor/plugin'
import type { Connection } from '../connection.ts'
import type { Resource, Service } from './service.ts'

/** The paths of a collection's members. */
export async function membersOf(service: Service, path: string): Promise<string[]> {
  const members: string[] = []
  // A long one comes in pages.
  for (let next: Json | undefined = path; typeof next === 'string'; ) {
    const page: Resource = await service.get(next)
    members.push(...linksOf(page.Members))
    next = page['Members@odata.nextLink']
  }
  return members
}

export const linksOf = (links: Json | undefined): string[] =>
  (Array.isArray(links) ? links : []).flatMap(one => linkOf(one) ?? [])

export function linkOf(link: Json | undefined): string | undefined {
  const path = typeof link === 'object' && link !== null && !Array.isArray(link) ? link['@odata.id'] : undefined
  return typeof path === 'string' ? path : undefined
}

export const objectOf = (value: Json | undefined): Resource =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}

export const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value.trim() : '')

/** The system that is meant: never another one, where that one is not there. */
export async function getSystem(
  service: Service,
  { system }: Pick<Connection, 'system'>,
): Promise<Resource & { path: string }> {
  const members = await membersOf(service, '/redfish/v1/Systems')
  const ids = members.map(path => path.replace(/\/$/, '').split('/').at(-1) ?? path)
  const at = system === null ? (members.length === 1 ? 0 : -1) : ids.indexOf(system)
  const path = members[at]
  if (path !== undefined) return { ...(await service.get(path)), path }
  const known = ids.length ? `it has ${ids.join(', ')}` : 'it has none'
  const message =
    system === null
      ? `it is not said which of its systems is meant: ${known}; set redfish_system`
      : `it has no system '${system}': ${known}`
  throw new ContractorError('NOT_FOUND', `${service.name}: ${message}`, { kind: 'system', id: system ?? '' })
}

/** `PoweringOn` is on: it needs nobody who switches it on. Whatever else is not On is off, `Paused` among it. */
export function powerOf({ PowerState: state }: Resource): PowerState {
  if (typeof state !== 'string' || !state) return 'unknown'
  return state === 'On' || state === 'PoweringOn' ? 'on' : 'off'
}

/** What may be sent for each action, the best first. */
const resetTypes: Readonly<Record<PowerAction, readonly string[]>> = {
  on: ['On', 'ForceOn', 'PushPowerButton'],
  off: ['ForceOff'],
  soft: ['GracefulShutdown', 'PushPowerButton'],
  reset: ['ForceRestart', 'GracefulRestart'],
}

export async function sendPower(
  service: Service,
  system: Resource & { path: string },
  action: PowerAction,
): Promise<void> {
  const reset = objectOf(objectOf(system.Actions)['#ComputerSystem.Reset'])
  const target = textOf(reset.target)
  const allowed = await allowableValues(service, reset, 'ResetType')
  const type = resetTypes[action].find(one => !allowed || allowed.includes(one))
  if (!target || type === undefined) {
    const known = allowed ? `: it knows ${allowed.join(', ')}` : ''
    throw deviceError('DEVICE_UNSUPPORTED', service.name, `it cannot do '${action}'${known}`)
  }
  try {
    await service.post(target, { ResetType: type })
  } catch (error) {
    const isRefusal = isContractorError(error, 'DEVICE_REFUSED') || isContractorError(error, 'DEVICE_BUSY')
    if (!isRefusal) throw error
    // Some refuse what is so already, or has just become so.
    const after = powerOf(await service.get(system.path))
    if (action !== 'reset' && after === (action === 'on' ? 'on' : 'off')) return
    throw deviceError(
      'DEVICE_BUSY',
      service.name,
      `${error.message.replace(`${service.name}: `, '')}, and is ${after}`,
      {
        ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
      },
    )
  }
}

/** Said beside the action, or by a resource of its own; undefined where nobody says. */
async function allowableValues(service: Service, action: Resource, name: string): Promise<string[] | undefined> {
  const beside = action[`${name}@Redfish.AllowableValues`]
  if (Array.isArray(beside)) return beside.map(String)
  const info = action['@Redfish.ActionInfo']
  if (typeof info !== 'string') return undefined
  const { Parameters: parameters } = (await service.find(info)) ?? {}
  const own = (Array.isArray(parameters) ? parameters : []).map(objectOf).find(one => one.Name === name)
  return Array.isArray(own?.AllowableValues) ? own.AllowableValues.map(String) : undefined
}
