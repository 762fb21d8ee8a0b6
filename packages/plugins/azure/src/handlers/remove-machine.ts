import { ContractorError } from '@contractor/plugin'
import type { Arm, Resource } from './arm.ts'
import { disks, interfaces, isOfCall, isOwn, machines, objectOf, propertiesOf, tags, type Wanted } from './machine.ts'

/** Deletes the machine, and whatever else carries its tags; with a call, only what that call has made. */
export async function removeMachine(arm: Arm, wanted: Wanted, callId: string | null): Promise<{ destroyed: boolean }> {
  const isMeant = (found: Resource) => (callId === null ? isOwn(found, wanted) : isOfCall(found, wanted, callId))
  const found = await arm.find(`${machines}/${wanted.name}`)
  if (found && callId === null && !isOwn(found, wanted)) {
    const remedy = `tag it ${tags.foundation}=${wanted.locator} to have it deleted, or clear azure_resource_name`
    const message = `${arm.name}: machine '${wanted.name}' was not made by Contractor for this Foundation, and is left alone: ${remedy}`
    throw new ContractorError('ALREADY_EXISTS', message, { kind: 'virtualMachines', id: wanted.name })
  }
  let destroyed = false
  if (found && isMeant(found)) {
    // Whose the disk is, nobody knows any more when the machine is gone.
    await markDisk(arm, found)
    await arm.change('DELETE', `${machines}/${wanted.name}`)
    destroyed = true
  }
  for (const kind of [interfaces, disks])
    for (const one of (await arm.list(kind)).filter(isMeant)) {
      await arm.change('DELETE', `${kind}/${one.name}`)
      destroyed = true
    }
  return { destroyed }
}

/** Gives the disk of the operating system the tags of its machine, which Azure does not give it. */
export async function markDisk(arm: Arm, machine: Resource): Promise<void> {
  const { name } = objectOf(objectOf(propertiesOf(machine).storageProfile).osDisk)
  if (typeof name !== 'string' || !name) return
  const disk = await arm.find(`${disks}/${name}`)
  if (!disk || objectOf(disk.tags)[tags.foundation] !== undefined) return
  const own = Object.values(tags).map(key => [key, objectOf(machine.tags)[key] ?? ''] as const)
  await arm.change('PATCH', `${disks}/${name}`, {
    body: { tags: { ...objectOf(disk.tags), ...Object.fromEntries(own) } },
  })
}
