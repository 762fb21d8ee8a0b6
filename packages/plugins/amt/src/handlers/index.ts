import { changePower } from '@contractor/driver'
import { defineHandlers, isContractorError } from '@contractor/plugin'
import { amt } from '../amt.ts'
import { readPower, sendPower } from './power.ts'
import { at, textOf, withWsman } from './wsman.ts'

/** How often it is tried to wake a management engine, before the way to it is bad. */
const wakingAttempts = 4

/** The Tasks of module `amt`. */
export const handlers = defineHandlers(amt, {
  set_power: ({ action, ...connection }, context) =>
    withWsman(connection, context, wsman =>
      changePower(action, { read: () => readPower(wsman), send: what => sendPower(wsman, what) }),
    ),
  power_state: (connection, context) =>
    withWsman(connection, context, async wsman => ({ state: await readPower(wsman) })),
  async link_test(connection, { signal, attempt }) {
    try {
      await withWsman(connection, { signal, isTested: true }, readPower)
      return { good: true, last: '' }
    } catch (error) {
      signal.throwIfAborted()
      // It may have been asleep, and awake since.
      if (isContractorError(error, 'DEVICE_UNREACHABLE') && attempt < wakingAttempts) throw error
      return { good: false, last: error instanceof Error ? error.message : String(error) }
    }
  },
  read_inventory: (connection, context) =>
    withWsman(connection, context, async wsman => {
      const chassis = await wsman.get('CIM_Chassis', { CreationClassName: 'CIM_Chassis', Tag: 'CIM_Chassis' })
      const software = await wsman.get('CIM_SoftwareIdentity', { InstanceID: 'AMT' })
      return {
        manufacturer: textOf(at(chassis, 'Manufacturer')),
        model: textOf(at(chassis, 'Model')),
        serial: textOf(at(chassis, 'SerialNumber')),
        version: textOf(at(software, 'VersionString')),
      }
    }),
})
