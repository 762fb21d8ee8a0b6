import type { PowerAction } from '@contractor/driver'
import { stateOf } from './domain.ts'
import type { Virsh } from './virsh.ts'

const commands = { on: ['start'], off: ['destroy'], soft: ['shutdown', '--mode', 'acpi'], reset: ['reset'] } as const

/** An error is none where the state has come to what was wanted: somebody else was quicker. */
export async function sendPower(virsh: Virsh, id: string, action: PowerAction): Promise<void> {
  const [verb, ...rest] = commands[action]
  try {
    await virsh.run([verb, id, ...rest])
  } catch (error) {
    if (action === 'reset') throw error
    const { power } = await stateOf(virsh, id)
    if (power !== (action === 'on' ? 'on' : 'off')) throw error
  }
}
