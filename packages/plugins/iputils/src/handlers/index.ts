import { withSnmp } from '@contractor/driver/snmp'
import { defineHandlers } from '@contractor/plugin'
import { iputils } from '../iputils.ts'
import { checkDns, checkHttp } from './look.ts'
import { pingHost } from './ping-host.ts'
import { waitForPort } from './wait-for-port.ts'

/** The Tasks of module `iputils`. */
export const handlers = defineHandlers(iputils, {
  ping: pingHost,
  wait_for_port: waitForPort,
  http_check: checkHttp,
  dns_check: checkDns,
  snmp_get: ({ oid, ...connection }, context) =>
    withSnmp(connection, context, async agent => ({ value: (await agent.get([oid]))[0]?.value ?? null })),
  snmp_set: ({ oid, value, ...connection }, context) =>
    withSnmp(connection, context, async agent => {
      await agent.set(oid, value)
      return {}
    }),
  snmp_walk: ({ oid, most, ...connection }, context) =>
    withSnmp(connection, context, async agent => ({ variables: await agent.walk(oid, most) })),
})
