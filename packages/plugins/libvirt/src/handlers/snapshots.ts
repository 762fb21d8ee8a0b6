import { deviceError } from '@contractor/driver'
import { ContractorError } from '@contractor/plugin'
import type { Machine } from '../connection.ts'
import { getOwn, stateOf } from './domain.ts'
import type { Virsh } from './virsh.ts'

/** A snapshot of one that runs has its memory. */
const snapshotMs = 1_800_000

export async function listSnapshots(virsh: Virsh, machine: Machine): Promise<{ id: string; names: string[] }> {
  const { id } = await getOwn(virsh, machine)
  const text = await virsh.run(['snapshot-list', id, '--name', '--topological'])
  return { id, names: text.split('\n').flatMap(line => line.trim() || []) }
}

export async function createSnapshot(virsh: Virsh, machine: Machine, name: string): Promise<{ created: boolean }> {
  const { id, names } = await listSnapshots(virsh, machine)
  if (names.includes(name)) return { created: false }
  await virsh.run(['snapshot-create-as', id, name, '--atomic'], { timeoutMs: snapshotMs })
  return { created: true }
}

export async function restoreSnapshot(virsh: Virsh, machine: Machine, name: string): Promise<void> {
  const { id, names } = await listSnapshots(virsh, machine)
  if ((await stateOf(virsh, id)).power !== 'off')
    throw deviceError('DEVICE_REFUSED', virsh.name, `'${machine.name}' is on: switch it off before it goes back`)
  if (!names.includes(name)) {
    const message = `${virsh.name}: '${machine.name}' has no snapshot '${name}'`
    throw new ContractorError('NOT_FOUND', message, { kind: 'snapshot', id: name })
  }
  await virsh.run(['snapshot-revert', id, name], { timeoutMs: snapshotMs })
}

export async function deleteSnapshot(virsh: Virsh, machine: Machine, name: string): Promise<{ deleted: boolean }> {
  const { id, names } = await listSnapshots(virsh, machine)
  if (!names.includes(name)) return { deleted: false }
  await virsh.run(['snapshot-delete', id, name], { timeoutMs: snapshotMs })
  return { deleted: true }
}
