import { setTimeout as delay } from 'node:timers/promises'
import { changePower, deviceError } from '@contractor/driver'
import { defineHandlers, type Json } from '@contractor/plugin'
import { redfish } from '../redfish.ts'
import { readOverride, setOverride, settingsOf } from './boot-override.ts'
import { readFirmware, updateFirmware } from './firmware.ts'
import { ejectMedia, insertMedia } from './media.ts'
import { withService } from './service.ts'
import { getSystem, linkOf, linksOf, membersOf, objectOf, powerOf, sendPower, textOf } from './system.ts'

const subscriptions = '/redfish/v1/EventService/Subscriptions'

/** The Tasks of module `redfish`. */
export const handlers = defineHandlers(redfish, {
  set_power: ({ action, ...connection }, context) =>
    withService(connection, context, async service => {
      const system = await getSystem(service, connection)
      return changePower(action, { read: async () => powerOf(system), send: what => sendPower(service, system, what) })
    }),
  power_state: (connection, context) =>
    withService(connection, context, async service => ({ state: powerOf(await getSystem(service, connection)) })),
  async link_test(connection, { signal }) {
    try {
      await withService(connection, { signal, isTested: true }, service => getSystem(service, connection))
      return { good: true, last: '' }
    } catch (error) {
      signal.throwIfAborted()
      return { good: false, last: error instanceof Error ? error.message : String(error) }
    }
  },
  read_boot: (connection, context) =>
    withService(connection, context, async service => readOverride(service, await getSystem(service, connection))),
  set_boot: (wanted, context) => withService(wanted, context, service => setOverride(service, wanted)),
  read_bios: (connection, context) =>
    withService(connection, context, async service => {
      const path = linkOf((await getSystem(service, connection)).Bios)
      const { Attributes: attributes } = path === undefined ? {} : await service.get(path)
      return { attributes: { ...objectOf(attributes) } }
    }),
  set_bios: ({ attributes, ...connection }, context) =>
    withService(connection, context, async service => {
      const path = linkOf((await getSystem(service, connection)).Bios)
      if (path === undefined) throw deviceError('DEVICE_UNSUPPORTED', service.name, 'it does not show its BIOS')
      const bios = { ...(await service.get(path)), path }
      const present = objectOf((bios as { Attributes?: Json }).Attributes)
      const unknown = Object.keys(attributes).filter(name => !Object.hasOwn(present, name))
      if (unknown.length) throw deviceError('DEVICE_UNSUPPORTED', service.name, `its BIOS has no ${unknown.join(', ')}`)
      const changed = Object.keys(attributes).filter(name => present[name] !== attributes[name])
      const body = { Attributes: Object.fromEntries(changed.map(name => [name, attributes[name] as Json])) }
      if (changed.length) await service.patch(settingsOf(bios), body)
      return { changed }
    }),
  insert_media: (wanted, context) => withService(wanted, context, service => insertMedia(service, wanted)),
  eject_media: (connection, context) => withService(connection, context, service => ejectMedia(service, connection)),
  read_firmware: (connection, context) =>
    withService(connection, context, async service => ({ firmware: await readFirmware(service) })),
  update_firmware: (wanted, context) =>
    withService(wanted, context, service => updateFirmware(service, wanted, context)),
  read_inventory: (connection, context) =>
    withService(connection, context, async service => {
      const system = await getSystem(service, connection)
      const ports = linkOf(system.EthernetInterfaces)
      const macs: string[] = []
      for (const path of ports === undefined ? [] : await membersOf(service, ports)) {
        const port = await service.get(path)
        macs.push(textOf(port.PermanentMACAddress) || textOf(port.MACAddress))
      }
      const { Count: cpus } = objectOf(system.ProcessorSummary)
      const { TotalSystemMemoryGiB: memory } = objectOf(system.MemorySummary)
      return {
        manufacturer: textOf(system.Manufacturer),
        model: textOf(system.Model),
        serial: textOf(system.SerialNumber),
        uuid: textOf(system.UUID),
        bios_version: textOf(system.BiosVersion),
        cpu_count: typeof cpus === 'number' ? cpus : null,
        memory_size: typeof memory === 'number' ? Math.round(memory * 1024) : null,
        health: textOf(objectOf(system.Status).Health),
        mac_list: macs.filter(Boolean),
      }
    }),
  identify: ({ on, ...connection }, context) =>
    withService(connection, context, async service => {
      const system = await getSystem(service, connection)
      if ('LocationIndicatorActive' in system) await service.patch(system.path, { LocationIndicatorActive: on })
      else if ('IndicatorLED' in system) await service.patch(system.path, { IndicatorLED: on ? 'Blinking' : 'Off' })
      else throw deviceError('DEVICE_UNSUPPORTED', service.name, 'it has no identify light')
      return {}
    }),
  subscribe: ({ destination, context: name, ...connection }, context) =>
    withService(connection, context, async service => {
      const [present] = await findSubscriptions(destination)
      if (present !== undefined) return { subscription: present }
      const answer = await service.post(subscriptions, { Destination: destination, Context: name, Protocol: 'Redfish' })
      return { subscription: linkOf(answer.body) ?? answer.headers.location ?? '' }

      async function findSubscriptions(to: string): Promise<string[]> {
        const found: string[] = []
        for (const path of await membersOf(service, subscriptions))
          if ((await service.get(path)).Destination === to) found.push(path)
        return found
      }
    }),
  unsubscribe: ({ destination, ...connection }, context) =>
    withService(connection, context, async service => {
      let removed = 0
      for (const path of await membersOf(service, subscriptions)) {
        if ((await service.get(path)).Destination !== destination) continue
        await service.delete(path)
        removed++
      }
      return { removed }
    }),
  async reset_bmc({ waitMs, ...connection }, context) {
    await withService(connection, context, async service => {
      const system = await getSystem(service, connection)
      const [manager] = linksOf(objectOf(system.Links).ManagedBy)
      const { Actions: actions } = manager === undefined ? {} : await service.get(manager)
      const target = textOf(objectOf(objectOf(actions)['#Manager.Reset']).target)
      if (!target) throw deviceError('DEVICE_UNSUPPORTED', service.name, 'it cannot restart itself')
      await service.post(target, { ResetType: 'GracefulRestart' })
    })
    const begun = performance.now()
    for (;;) {
      await delay(Math.min(3000, waitMs), undefined, context)
      const isOver = performance.now() - begun >= waitMs
      try {
        await withService(connection, { signal: context.signal, isTested: true }, service =>
          getSystem(service, connection),
        )
        return { seconds: Math.round((performance.now() - begun) / 1000) }
      } catch (error) {
        if (context.signal.aborted || isOver) throw error
      }
    }
  },
})
