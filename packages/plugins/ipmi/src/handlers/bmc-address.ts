import { deviceError } from '@contractor/driver'
import { isContractorError } from '@contractor/plugin'
import type { z } from 'zod'
import type { lan, tasks } from '../tasks.ts'
import { type Bmc, createBmc, untilAnswer } from './bmc.ts'
import { parseNames } from './tables.ts'

type Lan = z.output<typeof lan>

export async function readLan(bmc: Bmc, channel: number): Promise<Lan> {
  const names = parseNames(await bmc.run(['lan', 'print', String(channel)]))
  const source = names['IP Address Source'] ?? ''
  const vlan = Number(names['802.1q VLAN ID'])
  return {
    source: /static/i.test(source) ? 'static' : /dhcp/i.test(source) ? 'dhcp' : 'other',
    address: names['IP Address'] ?? '',
    netmask: names['Subnet Mask'] ?? '',
    gateway: names['Default Gateway IP'] ?? '',
    mac: names['MAC Address'] ?? '',
    vlan: Number.isInteger(vlan) && vlan > 0 ? vlan : null,
  }
}

/** The address comes last: after it, the BMC is elsewhere, and nobody answers the command itself. */
export async function setLan(wanted: z.output<(typeof tasks)['set_lan']['params']>, signal: AbortSignal): Promise<Lan> {
  const { channel, source, address, netmask, gateway, vlan } = wanted
  const bmc = createBmc(wanted, { signal })
  const set = (...what: string[]) => bmc.run(['lan', 'set', String(channel), ...what])
  if (source === 'dhcp') await set('ipsrc', 'dhcp')
  else {
    const present = await readLan(bmc, channel)
    if (address === null && present.source !== 'static')
      throw deviceError('DEVICE_REFUSED', `BMC ${wanted.host}`, 'a static address is wanted, and none is given')
    if (present.source !== 'static') await set('ipsrc', 'static')
    if (netmask !== null && netmask !== present.netmask) await set('netmask', netmask)
    if (gateway !== null && gateway !== present.gateway) await set('defgw', 'ipaddr', gateway)
    if (vlan !== null && vlan !== (present.vlan ?? 0)) await set('vlan', 'id', vlan === 0 ? 'off' : String(vlan))
    if (address !== null && address !== present.address) await moved(set('ipaddr', address))
  }
  const there = address === null || source === 'dhcp' ? bmc : createBmc({ ...wanted, host: address }, { signal })
  await untilAnswer(there, 60_000, signal)
  return readLan(there, channel)
}

/** No answer is what is expected of one that has moved. */
async function moved(setting: Promise<unknown>): Promise<void> {
  await setting.catch(error => {
    const isSilence = isContractorError(error, 'DEVICE_UNREACHABLE') || isContractorError(error, 'DEVICE_TIMED_OUT')
    if (!isSilence) throw error
  })
}
