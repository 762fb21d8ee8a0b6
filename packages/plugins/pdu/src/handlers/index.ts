import { changePower } from '@contractor/driver'
import { defineHandlers, type Handlers } from '@contractor/plugin'
import { outletFoundation, pdu } from '../pdu.ts'
import type { tasks } from '../tasks.ts'
import { withPdu } from './outlets.ts'

const own: Handlers<typeof tasks> = {
  set_power: ({ outlets, action, ...connection }, context) =>
    withPdu(connection, context, device =>
      changePower(action, { read: () => device.read(outlets), send: what => device.send(outlets, what) }),
    ),
  power_state: ({ outlets, ...connection }, context) =>
    withPdu(connection, context, async device => ({ state: await device.read(outlets) })),
  list: (connection, context) => withPdu(connection, context, async device => ({ outlets: await device.list() })),
}

/** The Tasks of module `outlet`: machines whose power is an outlet. */
export const handlers = defineHandlers(outletFoundation, own)

/** The Tasks of module `pdu`: a PDU by itself. */
export const pduHandlers = defineHandlers(pdu, own)
