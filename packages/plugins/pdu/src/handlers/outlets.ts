import { deviceError, type PowerAction, type PowerState } from '@contractor/driver'
import { createBreaker } from '@contractor/driver/breaker'
import { type SnmpAgent, withSnmp } from '@contractor/driver/snmp'
import type { z } from 'zod'
import type { Connection } from '../connection.ts'
import { atOutlet, models, type PduModel } from '../models.ts'
import type { outlet } from '../tasks.ts'

const breaker = createBreaker()

/** A PDU that is spoken to. */
export interface Pdu {
  /** On while one of them is, off when all are. */
  read(outlets: readonly number[]): Promise<PowerState>
  send(outlets: readonly number[], action: PowerAction): Promise<void>
  list(): Promise<z.output<typeof outlet>[]>
}

export function withPdu<T>(
  connection: Connection,
  { signal }: { signal: AbortSignal },
  work: (pdu: Pdu) => Promise<T>,
): Promise<T> {
  const { host, port, model: name } = connection
  const model = models.find(one => one.name === name) as PduModel
  return breaker.guard(`${host}:${port}`, () =>
    withSnmp(connection, { signal }, agent => work(createPdu(agent, model, `PDU ${host}`))),
  )
}

function createPdu(agent: SnmpAgent, model: PduModel, device: string): Pdu {
  const stateOf = (value: string): PowerState => {
    if (model.state.on.includes(value)) return 'on'
    return model.state.off.includes(value) ? 'off' : 'unknown'
  }
  return {
    async read(outlets) {
      const found = await agent.get(outlets.map(number => atOutlet(model.state.oid, number)))
      const missing = outlets.filter((_, at) => found[at] === undefined)
      if (missing.length) {
        const hint = `set pdu_model if it is no ${model.name} (${model.mib})`
        throw deviceError(
          'DEVICE_UNSUPPORTED',
          device,
          `it has no outlet ${missing.join(', ')}, or another MIB: ${hint}`,
        )
      }
      const states = found.map(one => stateOf(one?.value ?? ''))
      if (states.includes('on')) return 'on'
      return states.every(one => one === 'off') ? 'off' : 'unknown'
    },
    async send(outlets, action) {
      if (action === 'reset')
        throw deviceError(
          'DEVICE_UNSUPPORTED',
          device,
          'an outlet is switched off and on, and not reset: use power_cycle',
        )
      const { oid, value } = action === 'on' ? model.on : model.off
      for (const number of outlets) await agent.set(atOutlet(oid, number), value)
    },
    async list() {
      const states = await agent.walk(model.state.oid.replace(/\.N$/, ''), 1000)
      const labels = await agent.walk(model.label.replace(/\.N$/, ''), 1000)
      const numberOf = (oid: string) => Number(oid.split('.').at(-1))
      const names = new Map(labels.map(one => [numberOf(one.oid), one.value]))
      return states.map(one => ({
        outlet: numberOf(one.oid),
        name: names.get(numberOf(one.oid)) ?? '',
        state: stateOf(one.value),
      }))
    },
  }
}
