import { changePower, deviceError, pairMacs } from '@contractor/driver'
import { defineHandlers } from '@contractor/plugin'
import { azure } from '../azure.ts'
import { type Pace, withArm } from './arm.ts'
import { createMachine } from './create-machine.ts'
import {
  findMachine,
  getMachine,
  machines,
  macsOf,
  objectOf,
  powerFor,
  powerOf,
  propertiesOf,
  provisioningOf,
  sendPower,
  toState,
} from './machine.ts'
import { removeMachine } from './remove-machine.ts'

/** The Tasks of module `azure`, by the Resource Manager’s REST. */
export const createHandlers = (pace: Pace = { everyMs: 5000 }) =>
  defineHandlers(azure, {
    create: (wanted, context) => withArm(wanted, context, pace, arm => createMachine(arm, wanted)),
    set_power: ({ action, ...wanted }, context) =>
      withArm(wanted, context, pace, async arm => {
        const found = await getMachine(arm, wanted)
        return changePower(action, {
          read: async () => powerFor(found, action),
          send: what => sendPower(arm, wanted, what),
        })
      }),
    power_state: (wanted, context) =>
      withArm(wanted, context, pace, async arm => ({ state: powerOf(await getMachine(arm, wanted)) })),
    state: (wanted, context) =>
      withArm(wanted, context, pace, async arm => toState(await findMachine(arm, wanted), wanted)),
    interfaces: ({ locations, ...wanted }, context) =>
      withArm(wanted, context, pace, async arm => {
        const macs = await macsOf(arm, await getMachine(arm, wanted))
        if (macs.length >= locations.length) return { interface_map: pairMacs(locations, macs) }
        const words = `machine '${wanted.name}' has ${macs.length} interfaces, and its Foundation ${locations.length}`
        throw deviceError('DEVICE_REFUSED', arm.name, words)
      }),
    destroy: ({ callId, ...wanted }, context) =>
      withArm(wanted, context, pace, arm => removeMachine(arm, wanted, callId)),
    list: (connection, context) =>
      withArm(connection, context, pace, async arm => {
        const found = await arm.list(machines)
        return {
          machines: found.map(one => ({
            ...{ name: String(one.name), provisioning: provisioningOf(one) },
            size: String(objectOf(propertiesOf(one).hardwareProfile).vmSize ?? ''),
          })),
        }
      }),
  })

export const handlers = createHandlers()
