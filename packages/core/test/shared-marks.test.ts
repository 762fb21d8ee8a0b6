import { describe, expect, it } from 'vitest'
import { isFiller, isSameMachine, marksOf } from '../src/inventory/survey/marks.ts'
import { openShop, type Shop } from './shop.ts'

type Report = Parameters<Shop['contractor']['cartographers']['report']>[1]

/** Foundations `f1` and `f2`, each with the MAC of a card; `f1` is known by the serial number S-77 as well. */
async function openHall() {
  const { contractor } = await openShop()
  await contractor.blueprints.put({ kind: 'foundation', name: 'anvil' })
  for (const [locator, mac, serials] of [
    ['f1', mac1, ['S-77']],
    ['f2', mac2, []],
  ] as const) {
    const made = { locator, type: 'Lathe', site: 'lab', blueprint: 'anvil', fields: { serial: 's' } }
    await contractor.foundations.create({ ...made, serials: [...serials] })
    await contractor.interfaces.create({ kind: 'real', foundation: locator, name: 'eth0', mac })
  }
  return { contractor, survey: contractor.cartographers }
}

const [mac1, mac2, mac3] = ['52:54:00:00:00:01', '52:54:00:00:00:02', '52:54:00:00:00:03'] as const
const withCard = (mac: string, changes: Report = {}): Report => ({
  networkInterfaces: [{ name: 'x', mac }],
  ...changes,
})
const serial = (serial: string) => ({ system: { serial } })

describe('two machines that call themselves the same', () => {
  it('have a record each, and are what their MACs say', async () => {
    const { survey } = await openHall()
    const first = await survey.report('0123456789', withCard(mac1), { address: '10.0.0.1' })
    expect(first).toMatchObject({ identifier: '0123456789', called: '0123456789', foundation: 'f1' })
    const second = await survey.report('0123456789', withCard(mac2), { address: '10.0.0.2' })
    expect(second).toMatchObject({ identifier: '0123456789.525400000002', called: '0123456789', foundation: 'f2' })
    expect(await survey.get('0123456789')).toMatchObject({ foundation: 'f1', address: '10.0.0.1' })
    // Each is known again.
    expect(await survey.report('0123456789', withCard(mac2))).toMatchObject({ identifier: second.identifier })
    expect(await survey.report('0123456789', withCard(mac1))).toMatchObject({ identifier: first.identifier })
    expect((await survey.list()).items).toHaveLength(2)
  })

  it('are told apart by their addresses when they say no more than that, or else not', async () => {
    const { survey } = await openHall()
    await survey.report('same', withCard(mac1), { address: '10.0.0.1' })
    expect(await survey.getCalled('same')).toMatchObject({ foundation: 'f1' })
    await survey.report('same', withCard(mac2), { address: '10.0.0.2' })
    expect(await survey.getCalled('same', { address: '10.0.0.2' })).toMatchObject({ foundation: 'f2' })
    await expect(survey.getCalled('same')).rejects.toMatchObject({ code: 'WRONG_STATE' })
    await expect(survey.getCalled('other')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('have a record each also when they report at once', async () => {
    const { survey } = await openHall()
    await Promise.all([mac1, mac2].map(mac => survey.report('same', withCard(mac))))
    const all = (await survey.list()).items
    expect(all.map(one => [one.called, one.foundation]).sort()).toEqual([
      ['same', 'f1'],
      ['same', 'f2'],
    ])
  })
})

describe('a serial number', () => {
  it('is compared without regard to case and the space around it', async () => {
    const { survey } = await openHall()
    expect(await survey.report('m', serial(' s-77 '))).toMatchObject({ foundation: 'f1' })
  })

  it('that contradicts a MAC puts the machine aside, and the contradiction is named', async () => {
    const { survey } = await openHall()
    expect(await survey.report('m', withCard(mac2, serial('S-77')))).toMatchObject({
      state: 'aside',
      message: `Its MAC contradicts its serial number or BMC: 'f2' by MAC ${mac2}, 'f1' by serial number or BMC S-77. Assign it to the one that it is.`,
    })
  })

  it('that two machines show has no weight: what each alone has decides', async () => {
    const { survey } = await openHall()
    expect(await survey.report('m1', withCard(mac1, serial('S-77')))).toMatchObject({ foundation: 'f1' })
    const second = await survey.report('m2', withCard(mac2, serial('s-77')))
    expect(second).toMatchObject({ state: 'matched', foundation: 'f2' })
    expect(second.evidence).toContainEqual({
      ...{ kind: 'serial', value: 'S-77', foundation: 'f1', weight: 0, note: "machine 'm1' shows it too" },
    })
    // And one that has nothing else is put aside.
    expect(await survey.report('m3', withCard(mac3, serial('S-77')))).toMatchObject({
      state: 'aside',
      message: expect.stringContaining("(machine 'm1' shows it too)"),
    })
  })

  it('that two Foundations have decides nothing', async () => {
    const { survey, contractor } = await openHall()
    await contractor.foundations.update('f2', { serials: ['s-77'] })
    expect(await survey.report('m', serial('S-77'))).toMatchObject({
      state: 'aside',
      message: expect.stringContaining("(Foundation 'f2' has it too)"),
    })
    expect(await survey.report('m', withCard(mac1, serial('S-77')))).toMatchObject({ foundation: 'f1' })
  })

  it.each([
    ...['0123456789', '1234567890', '(none)', 'INVALID', 'Default string', 'To Be Filled By O.E.M.', 'None', ' none '],
    ...['System Serial Number', 'Not Specified', 'Chassis Serial Number', 'Not Applicable', 'OEM', 'N/A', 'xxxxxxxx'],
    ...['........', '0', '11111111', '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
    ...['03000200-0400-0500-0006-000700080009', 'Base Board Serial Number', '<BAD INDEX>', 'Undefined', 'Unknown'],
    ...[
      'Type2 - Board Serial Number',
      'No Asset Tag',
      'MB-1234567890',
      '------',
      'SerialNumber',
      'To be filled by OEM',
    ],
  ])('%j is none', text => {
    expect(isFiller(text)).toBe(true)
  })

  it.each([
    'S-77',
    'CZJ1234567',
    'VMware-42 1d 5a',
    '7C6KT52',
    'SYS-1',
    '4c4c4544-0000-1010-8000-000000000001',
    'PF0TEST9',
  ])('%j is one', text => {
    expect(isFiller(text)).toBe(false)
  })
})

describe('two reports', () => {
  const uuid = (uuid: string, serial: string, mac?: string): Report =>
    withCard(mac ?? mac1, { system: { uuid, serial } })
  const [u1, u2] = ['4c4c4544-0000-1010-8000-000000000001', '4c4c4544-0000-1010-8000-000000000002'] as const
  it.each<[string, Report, Report, boolean | undefined]>([
    ['with a MAC in common', withCard(mac1), withCard(mac1), true],
    ['with other MACs', withCard(mac1), withCard(mac2), false],
    ['with a new mainboard and the old cards', uuid(u1, 'A'), uuid(u2, 'A'), true],
    ['with a card that goes round', uuid(u1, 'AA1'), uuid(u2, 'BB2'), false],
    ['with a copied UUID', uuid(u1, 'AA1', mac1), uuid(u1, 'AA1', mac2), false],
    ['without MACs, of one UUID', { system: { uuid: u1 } }, { system: { uuid: u1.toUpperCase() } }, true],
    ['without MACs, of other serial numbers', serial('S-1'), serial('S-2'), false],
    ['with fillers alone', serial('0123456789'), serial('0123456789'), undefined],
    ['with nothing to compare', withCard(mac1), serial('S-1'), undefined],
  ])('%s', (_, one, other, same) => {
    const [a, b] = [one, other].map(report => marksOf(report as never)) as [string[], string[]]
    expect([isSameMachine(a, b), isSameMachine(b, a)]).toEqual([same, same])
  })
})

describe('a neighbour', () => {
  it.each([
    ['sw1/Port 2', { systemName: 'SW1', portId: 'Port 2' }],
    ['sw1 / Gi1/0/1', { systemName: 'sw1', portId: 'gi1/0/1' }],
    ['sw1/ge-0/0/0.0', { systemName: 'sw1.lab.example', portId: 'ge-0/0/0.0' }],
    ['SW1/Ethernet1/1', { systemName: 'sw1', portDescription: 'ethernet1/1' }],
    ['Core Switch (hall 2)/1:12', { systemName: ' Core Switch (hall 2) ', portId: '1:12' }],
  ])('%s is found in any case, whatever signs it has', async (neighbour, lldp) => {
    const { survey, contractor } = await openHall()
    const [port] = (await contractor.interfaces.list({ foundation: 'f1' })).items
    await contractor.interfaces.update(port?.id as number, { neighbour })
    expect(await survey.report('m', { networkInterfaces: [{ name: 'x', lldp }] })).toMatchObject({ foundation: 'f1' })
  })
})
