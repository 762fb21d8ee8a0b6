import type { PowerAction } from '@contractor/driver'
import { findMachine, idOf, type MachineInfo, powerOf } from './machine-info.ts'
import type { VBox } from './vboxmanage.ts'

const controls = { off: 'poweroff', soft: 'acpipowerbutton', reset: 'reset' } as const

/** An error is none where the state has come to what was wanted: somebody else was quicker. */
export async function sendPower(vbox: VBox, info: MachineInfo, action: PowerAction): Promise<void> {
  const id = idOf(info)
  const command =
    action === 'on' ? ['startvm', id, '--type', 'headless'] : (['controlvm', id, controls[action]] as const)
  try {
    await vbox.run(command)
  } catch (error) {
    const now = await findMachine(vbox, id)
    const wanted = action === 'on' || action === 'reset' ? 'on' : 'off'
    if (action === 'reset' || !now || powerOf(now) !== wanted) throw error
  }
}
