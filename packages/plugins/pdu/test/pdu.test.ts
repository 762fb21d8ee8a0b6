import { pluginLaws } from '@contractor/plugin/testing'
import { describe, expect, it } from 'vitest'
import { handlers, pduHandlers } from '../src/handlers/index.ts'
import { atOutlet, models } from '../src/models.ts'
import { outletFoundation, pdu } from '../src/pdu.ts'

const complexFields = { pdu_ip_address: '10.0.0.9', pdu_model: 'apc', pdu_community: 'private' }
const replies = {
  set_power: [
    { state: 'on', sent: true },
    { state: 'off', sent: false },
    { state: 'on', sent: false },
  ],
  power_state: [{ state: 'on' }, { state: 'off' }],
  list: [{ outlets: [{ outlet: 1, name: 'web01', state: 'on' }] }],
}
const entry = new URL('../src/index.ts', import.meta.url)

describe('the laws of plugins, of an outlet', () => {
  const laws = pluginLaws(outletFoundation, handlers, {
    fields: { outlet_list: [1, 2] },
    complexFields,
    replies,
    entry,
  })
  for (const { name, run } of laws) it(name, run)
})

describe('the laws of plugins, of a PDU', () => {
  const laws = pluginLaws(pdu, pduHandlers, {
    fields: complexFields,
    args: { outlet_on: [{ outlet: 1 }], outlet_off: [{ outlet: 1 }] },
    replies,
  })
  for (const { name, run } of laws) it(name, run)
})

describe('the table of makers', () => {
  it.each(models)('$name tells on from off, and leads to one outlet', ({ state, on, off, label }) => {
    expect(state.on.filter(one => (state.off as readonly string[]).includes(one))).toEqual([])
    for (const oid of [state.oid, on.oid, off.oid, label]) expect(atOutlet(oid, 7)).toMatch(/^1(\.\d+)+\.7$/)
    expect(`${on.oid} ${on.value}`).not.toBe(`${off.oid} ${off.value}`)
  })
})

describe('fields', () => {
  it.each([
    [{ ...complexFields, pdu_model: 'acme' }],
    [{ ...complexFields, pdu_ip_address: '-v' }],
    [{ ...complexFields, pdu_auth_key: 'short' }],
  ])('%j are refused', given => {
    expect(pdu.fields.safeParse(given).success).toBe(false)
  })
  it.each([[[]], [[0]], [[1, 2, 3, 4, 5, 6, 7, 8, 9]]])('the outlets %j are refused', outlet_list => {
    expect(outletFoundation.fields.safeParse({ outlet_list }).success).toBe(false)
  })
})
