import { findMachine, powerOf } from './machine-info.ts'
import type { VBox } from './vboxmanage.ts'

const removeMs = 900_000

/** Switched off first, where it runs; then with its disks, and what it has saved. */
export async function removeMachine(vbox: VBox, id: string): Promise<{ destroyed: boolean }> {
  const info = await findMachine(vbox, id)
  if (!info) return { destroyed: false }
  if (powerOf(info) === 'on') await vbox.run(['controlvm', id, 'poweroff'])
  await vbox.run(['unregistervm', id, '--delete'], { timeoutMs: removeMs })
  return { destroyed: true }
}
