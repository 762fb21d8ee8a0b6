import { isContractorError } from '@contractor/plugin'
import { type Domain, findDomain, stateOf } from './domain.ts'
import type { Virsh } from './virsh.ts'

/** Its disks first, and itself last: so what a lost call has left is found again. */
export async function removeDomain(virsh: Virsh, id: string): Promise<{ destroyed: boolean }> {
  const domain = await findDomain(virsh, id)
  if (!domain) return { destroyed: false }
  if ((await stateOf(virsh, id)).power !== 'off') await virsh.run(['destroy', id])
  for (const volume of ownVolumes(domain))
    await virsh.run(['vol-delete', volume.name, '--pool', volume.pool], { timeoutMs: 900_000 }).catch(error => {
      if (!isContractorError(error, 'NOT_FOUND')) throw error
    })
  await virsh.run(['undefine', id, '--nvram', '--managed-save', '--snapshots-metadata'])
  return { destroyed: true }
}

/** Those that were made for it, by their names; one that was only lent to it stays. */
const ownVolumes = ({ volumes, name }: Domain) => volumes.filter(one => one.name.startsWith(`${name}-`))
