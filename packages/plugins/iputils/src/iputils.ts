import { defineModule } from '@contractor/plugin'
import { dnsCheck, httpCheck } from './checks.ts'
import { ping } from './ping.ts'
import { snmpGet, snmpSet, snmpWalk } from './snmp.ts'
import { tasks } from './tasks.ts'
import { waitForPort } from './wait-for-port.ts'

/** Looks at hosts, ports and services from the agent's network. */
export const iputils = defineModule({
  name: 'iputils',
  tasks,
  functions: {
    ping,
    wait_for_port: waitForPort,
    http_check: httpCheck,
    dns_check: dnsCheck,
    snmp_get: snmpGet,
    snmp_set: snmpSet,
    snmp_walk: snmpWalk,
  },
})
