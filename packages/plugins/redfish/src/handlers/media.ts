import { deviceError } from '@contractor/driver'
import type { Connection } from '../connection.ts'
import type { Resource, Service } from './service.ts'
import { getSystem, linkOf, linksOf, membersOf, objectOf, textOf } from './system.ts'

interface Slot extends Resource {
  path: string
}

/** The virtual drives: of the system, or of its manager, where older services have them. */
async function slotsOf(service: Service, wanted: Connection): Promise<Slot[]> {
  const system = await getSystem(service, wanted)
  const managers = await Promise.all(linksOf(objectOf(system.Links).ManagedBy).map(path => service.find(path)))
  const collections = [system, ...managers].flatMap(one => linkOf(one?.VirtualMedia) ?? [])
  const slots: Slot[] = []
  for (const path of collections)
    for (const member of await membersOf(service, path))
      slots.push({ ...(await service.get(member)), path: member } as Slot)
  return slots
}

const isCd = ({ MediaTypes: types }: Slot) => !Array.isArray(types) || types.some(one => one === 'CD' || one === 'DVD')

export async function insertMedia(service: Service, wanted: Connection & { image: string }): Promise<{ slot: string }> {
  const slots = (await slotsOf(service, wanted)).filter(isCd)
  const slot = slots.find(one => one.Image === wanted.image) ?? slots[0]
  if (!slot) throw deviceError('DEVICE_UNSUPPORTED', service.name, 'it has no virtual drive for a CD')
  const name = textOf(slot.Id)
  if (slot.Inserted === true && slot.Image === wanted.image) return { slot: name }
  if (slot.Inserted === true) await eject(service, slot)
  const target = textOf(objectOf(objectOf(slot.Actions)['#VirtualMedia.InsertMedia']).target)
  const body = { Image: wanted.image, Inserted: true, WriteProtected: true }
  if (target) await service.post(target, body)
  else await service.patch(slot.path, body)
  const after = await service.get(slot.path)
  if (after.Image === wanted.image) return { slot: name }
  throw deviceError(
    'DEVICE_REFUSED',
    service.name,
    `it was given ${wanted.image}, and has ${textOf(after.Image) || 'nothing'} in its drive`,
  )
}

export async function ejectMedia(service: Service, wanted: Connection): Promise<{ ejected: number }> {
  const full = (await slotsOf(service, wanted)).filter(one => one.Inserted === true)
  for (const slot of full) await eject(service, slot)
  return { ejected: full.length }
}

async function eject(service: Service, slot: Slot): Promise<void> {
  const target = textOf(objectOf(objectOf(slot.Actions)['#VirtualMedia.EjectMedia']).target)
  if (target) await service.post(target, {})
  else await service.patch(slot.path, { Image: null, Inserted: false })
}
