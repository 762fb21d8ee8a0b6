import { changePower, deviceError, pairMacs } from '@contractor/driver'
import { defineHandlers, type Json } from '@contractor/plugin'
import { resourceName, zone as zoneName } from '../connection.ts'
import { gce } from '../gce.ts'
import { toAddresses } from '../tasks.ts'
import { type Compute, type Pace, type Resource, withCompute } from './compute.ts'
import { createMachine } from './create-machine.ts'
import { destroyMachine, findMachine, getMachine, nicsOf, powerOf, sendPower, toState } from './machine.ts'

/** The Tasks of module `gcp`, by the Compute Engine API. */
export const createHandlers = (pace: Pace = { everyMs: 3000 }) =>
  defineHandlers(gce, {
    create: (wanted, context) => withCompute(wanted, context, pace, compute => createMachine(compute, wanted)),
    set_power: ({ action, ...wanted }, context) =>
      withCompute(wanted, context, pace, async compute => {
        const found = await getMachine(compute, wanted)
        return changePower(action, {
          read: async () => powerOf(found),
          send: what => sendPower(compute, wanted, found, what),
        })
      }),
    power_state: (wanted, context) =>
      withCompute(wanted, context, pace, async compute => ({ state: powerOf(await getMachine(compute, wanted)) })),
    state: (wanted, context) =>
      withCompute(wanted, context, pace, async compute => toState(await findMachine(compute, wanted))),
    addresses: ({ names, ...wanted }, context) =>
      withCompute(wanted, context, pace, async compute => {
        const { interfaces } = toState(await getMachine(compute, wanted))
        return { addresses: toAddresses(names, interfaces) }
      }),
    interfaces: ({ locations, ...wanted }, context) =>
      withCompute(wanted, context, pace, async compute => {
        const macs = nicsOf(await getMachine(compute, wanted)).flatMap(one => one.macAddress ?? [])
        if (macs.length && macs.length >= locations.length) return { map: pairMacs(locations, macs) }
        const words = 'it does not show the MACs of its machines. The machine itself knows them'
        throw deviceError('DEVICE_UNSUPPORTED', compute.name, words)
      }),
    destroy: (wanted, context) => withCompute(wanted, context, pace, compute => destroyMachine(compute, wanted)),
    list: (wanted, context) =>
      withCompute(wanted, context, pace, async compute => {
        const project = wanted.project ?? (await compute.project())
        if (project === undefined)
          throw deviceError('DEVICE_REFUSED', compute.name, 'nobody says which project is meant: set gce_project')
        return { project, machines: (await listMachines(compute, project)).flatMap(toListed) }
      }),
  })

/** Of all zones: each page has a list for each zone that has something in it, and a warning for others. */
async function listMachines(compute: Compute, project: string): Promise<Resource[]> {
  const found: Resource[] = []
  for (let token: Json | undefined = ''; typeof token === 'string'; ) {
    const more: string = token && `&pageToken=${encodeURIComponent(token)}`
    const page = await compute.get(`${project}/aggregated/instances?maxResults=500${more}`)
    for (const { instances = [] } of Object.values((page.items ?? {}) as Record<string, { instances?: Resource[] }>))
      found.push(...instances)
    token = page.nextPageToken
  }
  return found
}

function toListed(found: Resource) {
  const name = resourceName.safeParse(found.name)
  const zone = zoneName.safeParse(String(found.zone).split('/').at(-1))
  const { id, status, machine_type } = toState(found)
  return name.success && zone.success && id !== null
    ? [{ name: name.data, zone: zone.data, id, status, machine_type }]
    : []
}

export const handlers = createHandlers()
