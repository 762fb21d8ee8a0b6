import { defineModule } from '@contractor/plugin'
import { ping } from './ping.ts'
import { tasks } from './tasks.ts'
import { waitForPort } from './wait-for-port.ts'

/** Looks at hosts and ports from the agent's network. */
export const iputils = defineModule({
  name: 'iputils',
  tasks,
  functions: { ping, wait_for_port: waitForPort },
})
