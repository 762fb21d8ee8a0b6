import { createBreaker } from '@contractor/driver/breaker'
import { type SnmpAgent, withSnmp } from '@contractor/driver/snmp'
import { defineHandlers, type HandlerContext } from '@contractor/plugin'
import type { Connection } from '../connection.ts'
import { networkSwitch } from '../switch.ts'
import { mib } from './mib.ts'
import { readMacs, readNeighbours } from './neighbours.ts'
import { readPorts, setPort, withoutNumbers } from './ports.ts'
import { configure, readConfiguration } from './terminal.ts'
import { readVlans, setPortVlans, setVlan } from './vlans.ts'

const breaker = createBreaker()

const withSwitch = <T>(
  connection: Connection,
  { signal }: Pick<HandlerContext, 'signal'>,
  work: (agent: SnmpAgent, device: string) => Promise<T>,
): Promise<T> =>
  breaker.guard(`${connection.host}:${connection.port}`, () =>
    withSnmp(connection, { signal }, agent => work(agent, `switch ${connection.host}`)),
  )

/** The Tasks of module `switch`. */
export const handlers = defineHandlers(networkSwitch, {
  look: (connection, context) =>
    withSwitch(connection, context, async agent => {
      const [name, description] = await agent.get([mib.sysName, mib.sysDescr])
      const ports = (await readPorts(agent)).map(withoutNumbers)
      return { name: name?.value ?? '', description: description?.value ?? '', ports }
    }),
  set_port: ({ interface: name, up, description, ...connection }, context) =>
    withSwitch(connection, context, (agent, device) => setPort(agent, device, name, { up, description })),
  read_vlans: (connection, context) => withSwitch(connection, context, readVlans),
  set_vlan: ({ vlan, name, ...connection }, context) =>
    withSwitch(connection, context, (agent, device) => setVlan(agent, device, vlan, name)),
  set_port_vlans: ({ interface: name, untagged, tagged, ...connection }, context) =>
    withSwitch(connection, context, (agent, device) => setPortVlans(agent, device, name, { untagged, tagged })),
  read_neighbours: (connection, context) =>
    withSwitch(connection, context, async agent => ({ neighbours: await readNeighbours(agent) })),
  read_macs: (connection, context) => withSwitch(connection, context, async agent => ({ macs: await readMacs(agent) })),
  read_configuration: readConfiguration,
  configure,
})
