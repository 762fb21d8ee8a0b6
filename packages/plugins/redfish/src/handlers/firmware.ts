import { setTimeout as delay } from 'node:timers/promises'
import { deviceError } from '@contractor/driver'
import type { HandlerContext } from '@contractor/plugin'
import type { z } from 'zod'
import type { firmware, tasks } from '../tasks.ts'
import type { Resource, Service } from './service.ts'
import { linkOf, membersOf, objectOf, textOf } from './system.ts'

const updateService = '/redfish/v1/UpdateService'
const everyMs = 5000

export async function readFirmware(service: Service): Promise<z.output<typeof firmware>[]> {
  const collection = linkOf((await service.get(updateService)).FirmwareInventory)
  if (!collection) throw deviceError('DEVICE_UNSUPPORTED', service.name, 'it does not tell which firmware it has')
  const found: z.output<typeof firmware>[] = []
  for (const path of await membersOf(service, collection)) {
    const one = await service.get(path)
    found.push({
      id: textOf(one.Id),
      name: textOf(one.Name),
      version: textOf(one.Version),
      updateable: one.Updateable === true,
    })
  }
  return found
}

type Wanted = z.output<(typeof tasks)['update_firmware']['params']>

export async function updateFirmware(
  service: Service,
  { image, targets }: Pick<Wanted, 'image' | 'targets'>,
  { signal, progress }: Pick<HandlerContext, 'signal' | 'progress'>,
  pollMs = everyMs,
): Promise<{ state: string }> {
  const update = objectOf(objectOf((await service.get(updateService)).Actions)['#UpdateService.SimpleUpdate'])
  const target = textOf(update.target)
  if (!target)
    throw deviceError('DEVICE_UNSUPPORTED', service.name, 'it cannot fetch firmware by itself (no SimpleUpdate)')
  const answer = await service.post(target, { ImageURI: image, ...(targets.length && { Targets: targets }) })
  const task = linkOf(answer.body) ?? answer.headers.location
  if (task === undefined) return { state: 'Completed' }
  for (;;) {
    const seen = await service.get(new URL(task, 'https://bmc').pathname)
    const state = textOf(seen.TaskState) || 'Completed'
    if (typeof seen.PercentComplete === 'number') progress(seen.PercentComplete, `Updating firmware: ${state}`)
    if (state === 'Completed') return finished(service, seen, state)
    if (['Exception', 'Killed', 'Cancelled', 'Interrupted', 'Suspended'].includes(state))
      throw deviceError('DEVICE_REFUSED', service.name, `its task ended with ${state}: ${messagesOf(seen)}`)
    await delay(pollMs, undefined, { signal })
  }
}

/** A task may be completed, and what it was for have failed. */
function finished(service: Service, task: Resource, state: string): { state: string } {
  if (textOf(task.TaskStatus) && textOf(task.TaskStatus) !== 'OK')
    throw deviceError(
      'DEVICE_REFUSED',
      service.name,
      `its task is completed with ${textOf(task.TaskStatus)}: ${messagesOf(task)}`,
    )
  return { state }
}

const messagesOf = ({ Messages: messages }: Resource): string =>
  (Array.isArray(messages) ? messages : []).map(one => textOf(objectOf(one).Message)).join(' ') || 'it does not say why'
