import { deviceError } from '@contractor/driver'
import { ContractorError } from '@contractor/plugin'
import type { Machine } from '../connection.ts'
import { getOwn, idOf, parseInfo, powerOf } from './machine-info.ts'
import type { VBox } from './vboxmanage.ts'

/** Writing or merging what has changed takes its time. */
const snapshotMs = 1_800_000

export async function listSnapshots(vbox: VBox, machine: Machine): Promise<{ name: string; uuid: string }[]> {
  const id = idOf(await getOwn(vbox, machine))
  const text = await vbox.run(['snapshot', id, 'list', '--machinereadable']).catch(error => {
    // It says so with an error.
    if (/does not have any snapshots/i.test(String(error))) return ''
    throw error
  })
  const info = parseInfo(text)
  return [...info].flatMap(([key, name]) => {
    const found = /^SnapshotName(?<place>(-\d+)*)$/.exec(key)
    return found ? [{ name, uuid: info.get(`SnapshotUUID${found.groups?.place}`) ?? '' }] : []
  })
}

export async function createSnapshot(vbox: VBox, machine: Machine, name: string): Promise<{ created: boolean }> {
  if ((await listSnapshots(vbox, machine)).some(one => one.name === name)) return { created: false }
  const id = idOf(await getOwn(vbox, machine))
  await vbox.run(['snapshot', id, 'take', name], { timeoutMs: snapshotMs })
  return { created: true }
}

export async function restoreSnapshot(vbox: VBox, machine: Machine, name: string): Promise<void> {
  const info = await getOwn(vbox, machine)
  if (powerOf(info) !== 'off')
    throw deviceError('DEVICE_REFUSED', vbox.name, `'${machine.name}' is on: switch it off before it goes back`)
  const found = (await listSnapshots(vbox, machine)).find(one => one.name === name)
  if (!found) {
    const message = `${vbox.name}: '${machine.name}' has no snapshot '${name}'`
    throw new ContractorError('NOT_FOUND', message, { kind: 'snapshot', id: name })
  }
  await vbox.run(['snapshot', idOf(info), 'restore', found.uuid], { timeoutMs: snapshotMs })
}

export async function deleteSnapshot(vbox: VBox, machine: Machine, name: string): Promise<{ deleted: boolean }> {
  const found = (await listSnapshots(vbox, machine)).find(one => one.name === name)
  if (!found) return { deleted: false }
  const id = idOf(await getOwn(vbox, machine))
  await vbox.run(['snapshot', id, 'delete', found.uuid], { timeoutMs: snapshotMs })
  return { deleted: true }
}
