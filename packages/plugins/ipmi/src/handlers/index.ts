import { setTimeout as delay } from 'node:timers/promises'
import { changePower } from '@contractor/driver'
import { defineHandlers } from '@contractor/plugin'
import { ipmi } from '../ipmi.ts'
import { createBmc, untilAnswer } from './bmc.ts'
import { readLan, setLan } from './bmc-address.ts'
import { readBootDevice, setBootDevice } from './boot-device.ts'
import { setPassword } from './set-password.ts'
import { parseNames, parseSel, parseSensors } from './tables.ts'

/** A BMC that restarts goes on answering for a moment. */
const restartMs = 3000

/** The Tasks of module `ipmi`, by ipmitool(1). */
export const handlers = defineHandlers(ipmi, {
  async set_power({ action, ...connection }, context) {
    const bmc = createBmc(connection, context)
    return changePower(action, { read: bmc.power, send: bmc.send })
  },
  async power_state(connection, context) {
    return { state: await createBmc(connection, context).power() }
  },
  async link_test({ count, delayMs, ...connection }, context) {
    const { signal, progress } = context
    const bmc = createBmc(connection, { signal, isTested: true })
    let score = 1
    let last = ''
    for (let at = 0; at < count; at++) {
      if (at > 0) await delay(delayMs, undefined, { signal })
      const came = await bmc.power().then(
        () => 1,
        error => {
          signal.throwIfAborted()
          last = error instanceof Error ? error.message : String(error)
          return 0
        },
      )
      // A moving average: what came of late counts most.
      score = score * 0.85 + came * 0.15
      progress((100 * (at + 1)) / count)
      if (score < 0.8) break
    }
    return { score, last }
  },
  read_boot_device: (connection, context) => readBootDevice(createBmc(connection, context)),
  set_boot_device: (wanted, context) => setBootDevice(createBmc(wanted, context), wanted, context.log),
  async read_sensors(connection, context) {
    const text = await createBmc(connection, context).run(['sdr', 'list', 'all'], { isTable: true })
    return { sensors: parseSensors(text) }
  },
  async read_sel({ newest, ...connection }, context) {
    const text = await createBmc(connection, context).run(['sel', 'elist'], { isTable: true })
    const entries = parseSel(text)
    const all = entries.length > newest ? await context.attach('sel.csv', text, { contentType: 'text/csv' }) : null
    return { total: entries.length, entries: entries.slice(-newest).reverse(), all }
  },
  async clear_sel(connection, context) {
    const bmc = createBmc(connection, context)
    const { length } = parseSel(await bmc.run(['sel', 'elist'], { isTable: true }))
    if (length) await bmc.run(['sel', 'clear'])
    return { cleared: length }
  },
  async read_fru(connection, context) {
    return { fru: parseNames(await createBmc(connection, context).run(['fru', 'print', '0'])) }
  },
  async identify({ seconds, ...connection }, context) {
    await createBmc(connection, context).run(['chassis', 'identify', seconds === null ? 'force' : String(seconds)])
    return {}
  },
  async reset_bmc({ kind, waitMs, ...connection }, context) {
    const bmc = createBmc(connection, context)
    await bmc.run(['mc', 'reset', kind])
    await delay(Math.min(restartMs, waitMs), undefined, context)
    return { seconds: Math.round((await untilAnswer(bmc, waitMs, context.signal)) / 1000) }
  },
  read_lan: ({ channel, ...connection }, context) => readLan(createBmc(connection, context), channel),
  set_lan: (wanted, { signal }) => setLan(wanted, signal),
  set_password: (wanted, { signal }) => setPassword(wanted, signal),
})
