import type { Json } from '@contractor/plugin'
import { z } from 'zod'
import type { Command } from './tasks.ts'

/** What `vyos.apply()` makes of an attribute's name and the target's config. Whatever is wrong is a text, which ends the Job. */
export type Applied = { commands: Command[] } | { wrong: string }
type Config = (name: string) => Json | undefined

const set = (...path: string[]): Command => ({ op: 'set', path })

const textList = z.union([
  z
    .string()
    .min(1)
    .transform(text => [text]),
  z.array(z.string().min(1)).min(1),
])

const entry = z.object({
  name: z.string(),
  address_list: z.array(z.object({ address: z.string(), prefix: z.number(), sub_interface: z.number().nullable() })),
})

export function commandsOf(attribute: string, config: Config): Applied {
  if (attribute === 'dhcp_relay') return relayCommands(config)
  const [category, type, name, alias, ...rest] = attribute.split(':')
  if (category !== 'interface' || !name || rest.length) {
    return {
      wrong: `there is no attribute '${attribute}': it is dhcp_relay, or interface:ethernet:NAME, or interface:ethernet:NAME:ALIAS`,
    }
  }
  if (type !== 'ethernet') return { wrong: `interfaces of type '${type}' are not known here: ethernet ones are` }
  return addressCommands(name, alias, config)
}

/**
 * The relay listens on all interfaces of the Foundation. Later versions of VyOS tell those where clients are from those where the
 * server is: they are told so where the config says which these are.
 */
function relayCommands(config: Config): Applied {
  const servers = textList.safeParse(config('vyos_dhcp_relay_server'))
  if (!servers.success)
    return { wrong: 'the config has no vyos_dhcp_relay_server: say which DHCP server is relayed to' }
  const interfaces = z.array(z.object({ name: z.string() })).safeParse(config('_foundation_interface_list') ?? [])
  const names = interfaces.success ? interfaces.data.map(one => one.name) : []
  if (!names.length) return { wrong: 'the Foundation has no interfaces: a relay without one does nothing' }
  const relay = (...path: string[]) => set('service', 'dhcp-relay', ...path)
  const given = config('vyos_dhcp_relay_upstream') ?? null
  const upstream = textList.safeParse(given)
  if (given !== null && !upstream.success) return { wrong: 'vyos_dhcp_relay_upstream is no name of an interface' }
  const above = upstream.success ? upstream.data : []
  const unknown = above.filter(name => !names.includes(name))
  if (unknown.length)
    return { wrong: `vyos_dhcp_relay_upstream names ${unknown.join(', ')}: it has ${names.join(', ')}` }
  const kindOf = (name: string) =>
    above.length === 0 ? 'interface' : above.includes(name) ? 'upstream-interface' : 'listen-interface'
  return {
    commands: [...servers.data.map(server => relay('server', server)), ...names.map(name => relay(kindOf(name), name))],
  }
}

/** An address without alias is the interface's own; one with an alias that of its VLAN of that number. */
function addressCommands(name: string, alias: string | undefined, config: Config): Applied {
  const all = z.record(z.string(), z.unknown()).safeParse(config('_interface_map') ?? {})
  const names = all.success ? Object.keys(all.data) : []
  const found = entry.safeParse(all.data?.[name])
  if (!found.success) return { wrong: `there is no interface '${name}': it has ${names.join(', ') || 'none'}` }
  if (alias !== undefined && !/^([1-9]\d{0,3})$/.test(alias))
    return { wrong: `the alias '${alias}' is no number of a VLAN` }
  const number = alias === undefined ? null : Number(alias)
  const own = found.data.address_list.filter(one => one.sub_interface === number)
  if (!own.length) {
    const which = number === null ? 'without alias' : `with the alias ${number}`
    return { wrong: `interface '${name}' has no address ${which}` }
  }
  const below = ['interfaces', 'ethernet', name, ...(number === null ? [] : ['vif', String(number)])]
  return { commands: own.map(({ address, prefix }) => set(...below, 'address', `${address}/${prefix}`)) }
}
