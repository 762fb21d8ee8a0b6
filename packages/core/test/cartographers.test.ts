import postgres from 'postgres'
import { describe, expect, it } from 'vitest'
import { databaseKinds, postgresKind } from '../../../test/databases.ts'
import { machineReport } from './machine.ts'
import { openShop, type Shop } from './shop.ts'

type Report = Parameters<Shop['contractor']['cartographers']['report']>[1]
type Changes = Partial<Parameters<Shop['contractor']['foundations']['create']>[0]>

/** A hall of planned Foundations, `f1` and `f2` with two ports each, in Sites that have the same addresses. */
async function openHall(kind = postgresKind) {
  const shop = await openShop(kind)
  const { contractor } = shop
  await contractor.blueprints.put({ kind: 'foundation', name: 'anvil' })
  await contractor.blueprints.put({ kind: 'foundation', name: 'checked', template: { cpus: { count: 2 } } })
  await contractor.blueprints.put({ kind: 'structure', name: 'web' })
  const create = async (locator: string, changes: Changes = {}) => {
    const made = { locator, type: 'Lathe', site: 'lab', blueprint: 'anvil', fields: { serial: 's' }, ...changes }
    const foundation = await contractor.foundations.create(made)
    await contractor.interfaces.createMany([
      { kind: 'real', foundation: locator, name: 'eth0', provisioning: true },
      { kind: 'real', foundation: locator, name: 'port1', physicalLocation: 'NIC.2' },
    ])
    return foundation
  }
  /** The id of one of a Foundation's ports. */
  const portOf = async (foundation: string, name: string) =>
    (await contractor.interfaces.list({ foundation })).items.find(one => one.name === name)?.id as number
  const setPort = async (foundation: string, name: string, changes: { mac?: string; neighbour?: string }) =>
    contractor.interfaces.update(await portOf(foundation, name), changes)
  const macsOf = async (foundation: string) =>
    Object.fromEntries(
      (await contractor.interfaces.list({ foundation, limit: 1000 })).items.map(one => [one.name, one.mac]),
    )
  const eventsOf = async () =>
    (await contractor.events.list({ limit: 1000 })).filter(one => one.type.startsWith('cartographer.'))
  return { ...shop, create, setPort, macsOf, eventsOf, survey: contractor.cartographers }
}

const neighbour = (lldp: object): Report => machineReport({ networkInterfaces: [{ name: 'eth0', lldp }] })
const bare = (changes: Report = {}): Report => ({ networkInterfaces: [{ name: 'eth0' }], ...changes })

describe.each(databaseKinds)('a machine that reports itself, on $kind', kind => {
  it('is matched, its id map and MACs are kept, and its Foundation is located: the create Job that waits starts', async () => {
    const { survey, contractor, create, macsOf, eventsOf, claim } = await openHall(kind)
    await contractor.scripts.put({ name: 'prepare', source: 'foundation.oil()' })
    const scripts = { create: 'prepare' }
    await contractor.blueprints.put({ kind: 'foundation', name: 'made', parents: ['checked'], scripts })
    const foundation = await create('f1', { blueprint: 'made', serials: ['BRD-1'] })
    const job = await foundation.doCreate()
    await contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'waiting' })

    const seen = await survey.report('SYS-1', machineReport(), { address: '10.0.0.99' })
    expect(seen).toMatchObject({
      ...{ identifier: 'SYS-1', state: 'matched', foundation: 'f1', next: 'boot', address: '10.0.0.99' },
      message: "It is Foundation 'f1', by serial number or BMC BRD-1",
      evidence: [{ kind: 'serial', value: 'BRD-1', foundation: 'f1', weight: 2 }],
    })
    expect(await foundation.refresh()).toMatchObject({ state: 'located', idMap: { bios: { version: '2.4.1' } } })
    expect(await macsOf('f1')).toEqual({ eth0: '52:54:00:00:00:01', port1: '52:54:00:00:00:02' })
    await contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'queued' })
    expect(await claim()).toHaveLength(1)
    expect(await eventsOf()).toMatchObject([
      { type: 'cartographer.registered', by: 'machine SYS-1', data: { cartographer: 'SYS-1' } },
      { type: 'cartographer.matched', foundation: 'f1' },
    ])

    // The same again is no news, and known by its MACs now as well.
    const again = await survey.report('SYS-1', machineReport())
    expect(again).toMatchObject({ state: 'matched', foundation: 'f1', matchedAt: seen.matchedAt })
    expect(again.evidence.map(one => one.kind)).toEqual(['mac', 'mac', 'serial'])
    expect(await eventsOf()).toHaveLength(2)
  })
})

describe('a machine', () => {
  it('is known by its config UUID, which is told to nobody', async () => {
    const { survey, contractor, create } = await openHall()
    await create('f1')
    const input = { hostname: 'web', site: 'lab', blueprint: 'web', foundation: 'f1' }
    const { configUuid } = await contractor.structures.create(input)
    const seen = await survey.report('m', bare({ configUuid: configUuid.toUpperCase() }))
    expect(seen).toMatchObject({ state: 'matched', foundation: 'f1', evidence: [{ kind: 'configUuid', value: '***' }] })
    expect(JSON.stringify([seen, await contractor.foundations.get('f1')])).not.toContain(configUuid)
  })

  it.each([
    ['the name of the switch', { systemName: 'sw1', portId: 'ge-0/0/7' }, 'sw1/ge-0/0/7'],
    ['its name in its domain', { systemName: 'sw1.lab.example', portId: 'ge-0/0/7' }, 'sw1/ge-0/0/7'],
    ['its chassis id', { chassisId: '00-1B-21-AA-BB-CC', portId: '7' }, '00:1b:21:aa:bb:cc/7'],
    ['the description of the port', { systemName: 'sw1', portId: '507', portDescription: 'xe-7' }, 'sw1/xe-7'],
  ])('is known by its LLDP neighbour: %s', async (_, lldp, written) => {
    const { survey, create, setPort, macsOf } = await openHall()
    await create('f1')
    await setPort('f1', 'port1', { neighbour: written })
    expect(await survey.report('m', neighbour(lldp))).toMatchObject({
      ...{ state: 'matched', foundation: 'f1' },
      evidence: [{ kind: 'lldp', value: written }],
    })
    // The port is the one at that end of the wire, whatever the card is called.
    const named = { name: 'eth0', mac: '52:54:00:00:00:0a', lldp }
    await survey.report('m', { networkInterfaces: [named] })
    expect(await macsOf('f1')).toEqual({ eth0: null, port1: '52:54:00:00:00:0a' })
  })

  it('is known by its MACs, its BMC, its serial numbers, and the address from which it reports', async () => {
    const { survey, contractor, create, setPort } = await openHall()
    for (const locator of ['mac', 'boot', 'address']) await create(locator)
    await create('bmc', { bmcMac: '52-54-00-00-00-f2' })
    await create('chassis', { serials: ['other', 'CH-7'] })
    await create('unset', { serials: ['To Be Filled By O.E.M.', 'Not Specified', '0000000'] })
    await setPort('mac', 'port1', { mac: '52:54:00:00:01:01' })
    await setPort('boot', 'eth0', { mac: '52:54:00:00:01:02' })
    await contractor.addressBlocks.create({ name: 'lan', site: 'lab', subnet: '10.1.0.0/24' })
    const input = { hostname: 'web', site: 'lab', blueprint: 'web', foundation: 'address' }
    const { id } = await contractor.structures.create(input)
    await contractor.addresses.create({ kind: 'static', ip: '10.1.0.7', structure: id, interface: 'eth0' })

    const of = async (name: string, report: Report, address?: string) => {
      const { state, foundation, evidence } = await survey.report(name, report, { address })
      return [foundation ?? state, ...evidence.map(one => `${one.kind} ${one.value}`)]
    }
    const card = (mac: string) => ({ networkInterfaces: [{ name: 'x', mac }] })
    expect(await of('1', card('52-54-00-00-01-01'))).toEqual(['mac', 'mac 52:54:00:00:01:01'])
    expect(await of('2', { bootMac: '525400000102' })).toEqual(['boot', 'mac 52:54:00:00:01:02'])
    expect(await of('3', { bmc: { mac: '52:54:00:00:00:F2' } })).toEqual(['bmc', 'serial 52:54:00:00:00:f2'])
    expect(await of('4', { chassis: { serial: 'CH-7' } })).toEqual(['chassis', 'serial CH-7'])
    const unset = { system: { serial: 'To Be Filled By O.E.M.' }, baseboard: { serial: '0000000' } }
    expect(await of('5', { ...unset, bmc: { serial: 'Not Specified' } })).toEqual(['unmatched'])
    expect(await of('6', {}, '10.1.0.7')).toEqual(['address', 'address 10.1.0.7'])
    expect(await of('7', {}, '10.1.0.8')).toEqual(['unmatched'])
  })

  it('that is two Foundations by one kind is put aside with the evidence, until an operator says which', async () => {
    const { survey, create, setPort, eventsOf } = await openHall()
    const [f1] = [await create('f1'), await create('f2')]
    await setPort('f1', 'eth0', { mac: '52:54:00:00:00:01' })
    await setPort('f2', 'eth0', { mac: '52:54:00:00:00:02' })
    const seen = await survey.report('m', machineReport())
    expect(seen).toMatchObject({ state: 'aside', foundation: null, next: 'report' })
    expect(seen.message).toBe(
      "Its MAC speaks for several: 'f1' by MAC 52:54:00:00:00:01, 'f2' by MAC 52:54:00:00:00:02. Assign it to the one that it is.",
    )
    expect(seen.evidence).toHaveLength(2)
    expect(await f1.refresh()).toMatchObject({ state: 'planned', idMap: null })
    expect((await survey.list({ state: 'aside' })).items.map(one => one.identifier)).toEqual(['m'])
    expect((await survey.list({ state: 'matched' })).items).toEqual([])

    expect(await survey.assign('m', 'f2', { by: 'ann' })).toMatchObject({
      ...{ state: 'matched', foundation: 'f2', next: 'boot' },
      message:
        "It is Foundation 'f2': assigned by ann. MAC 52:54:00:00:00:01 of its card eth0 is that of Interface 'eth0' of Foundation 'f1' already",
    })
    // It stays so, though it could still be both.
    expect(await survey.report('m', machineReport())).toMatchObject({ state: 'matched', foundation: 'f2' })
    expect((await eventsOf()).map(one => [one.type, one.by])).toEqual([
      ['cartographer.registered', 'machine m'],
      ['cartographer.aside', 'machine m'],
      ['cartographer.matched', 'ann'],
    ])
  })

  it('that is what another one is already is put aside; the first one stays', async () => {
    const { survey, create } = await openHall()
    await create('f1', { serials: ['BRD-1'] })
    await create('f2')
    await survey.report('first', machineReport())
    expect(await survey.report('second', machineReport())).toMatchObject({
      state: 'aside',
      message: expect.stringContaining("Foundation 'f1', with which machine 'first' is matched; release that"),
    })
    expect(await survey.get('first')).toMatchObject({ state: 'matched', foundation: 'f1' })
    await expect(survey.assign('second', 'f1')).rejects.toMatchObject({
      ...{ code: 'IN_USE', data: { by: ['Cartographer first'] } },
    })
    await expect(survey.assign('first', 'f2')).rejects.toThrow("it is matched with Foundation 'f1'; release it first")
    await expect(survey.release('second')).rejects.toMatchObject({ code: 'WRONG_STATE' })
  })

  it('that is released leaves its Foundation as it is, which is not taken again unseen', async () => {
    const { survey, create } = await openHall()
    const foundation = await create('f1', { serials: ['BRD-1'] })
    await survey.report('m', machineReport())
    expect(await survey.release('m', { by: 'ann' })).toMatchObject({
      ...{ state: 'unmatched', foundation: null, matchedAt: null, message: "Released from Foundation 'f1' by ann" },
    })
    expect(await foundation.refresh()).toMatchObject({ state: 'located', idMap: { system: { serial: 'SYS-1' } } })
    expect(await survey.report('m', machineReport())).toMatchObject({
      ...{ state: 'aside', message: expect.stringContaining("Foundation 'f1', which is located already") },
    })
    await survey.assign('m', 'f1')
    await survey.delete('m')
    await expect(survey.get('m')).rejects.toMatchObject({ code: 'NOT_FOUND', data: { kind: 'Cartographer', id: 'm' } })
  })

  it('of a Foundation that is destroyed or deleted is nobody’s, and is looked at anew', async () => {
    const { survey, create } = await openHall()
    const foundation = await create('f1', { serials: ['BRD-1'] })
    await survey.report('old', machineReport())
    await foundation.setDestroyed()
    expect(await survey.get('old')).toMatchObject({ state: 'unmatched', message: 'Its Foundation was destroyed' })
    expect(await survey.report('new', machineReport())).toMatchObject({ state: 'matched', foundation: 'f1' })
    await foundation.delete()
    expect(await survey.get('new')).toMatchObject({ state: 'unmatched', message: "Foundation 'f1' was deleted" })
    expect(await survey.report('new', machineReport())).toMatchObject({ state: 'unmatched', evidence: [] })
  })

  it('whose hardware is not what is wanted is matched and not located, until the template or the machine is right', async () => {
    const { survey, contractor, create, macsOf, eventsOf } = await openHall()
    const foundation = await create('f1', { blueprint: 'checked', serials: ['BRD-1'] })
    const small = machineReport({ cpus: [{ model: 'Atom' }] })
    const seen = await survey.report('m', small)
    expect(seen).toMatchObject({
      ...{ state: 'matched', foundation: 'f1', next: 'report' },
      message: expect.stringContaining("not what the BluePrint of Foundation 'f1' wants: cpus.count is 1, wanted 2"),
    })
    await survey.report('m', small)
    expect(await eventsOf()).toMatchObject([
      { type: 'cartographer.registered' },
      { type: 'cartographer.matched' },
      { type: 'cartographer.mismatched', data: { differences: [{ path: 'cpus.count', wanted: 2, found: 1 }] } },
    ])
    expect(await foundation.refresh()).toMatchObject({ state: 'planned', idMap: null })
    expect(await macsOf('f1')).toEqual({ eth0: null, port1: null })
    await survey.release('m')
    await expect(survey.assign('m', 'f1')).rejects.toMatchObject({ code: 'HARDWARE_MISMATCH' })
    expect(await survey.get('m')).toMatchObject({ state: 'unmatched' })

    await contractor.blueprints.put({ kind: 'foundation', name: 'checked', template: { cpus: { count: { min: 1 } } } })
    expect(await survey.retry('m', { by: 'ann' })).toMatchObject({ state: 'matched', next: 'boot' })
    expect(await foundation.refresh()).toMatchObject({ state: 'located', idMap: { cpus: [{ model: 'Atom' }] } })
    // What it was located with stays, whatever it reports later.
    await survey.report('m', machineReport({ cpus: [] }))
    expect(await foundation.refresh()).toMatchObject({ idMap: { cpus: [{ model: 'Atom' }] } })
  })

  it('that has only registered waits; it is assigned where nothing is wanted of its hardware', async () => {
    const { survey, create, clock } = await openHall()
    await create('f1')
    await create('f2', { blueprint: 'checked' })
    expect(await survey.register('m', { address: '10.0.0.9' })).toMatchObject({
      ...{ state: 'unmatched', hardware: null, address: '10.0.0.9', message: 'It has not reported its hardware yet' },
    })
    await expect(survey.retry('m')).rejects.toMatchObject({ code: 'WRONG_STATE' })
    await expect(survey.assign('m', 'f2')).rejects.toThrow('no id map was checked against it')
    await expect(survey.assign('m', 'f9')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(survey.assign('x', 'f1')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await survey.assign('m', 'f1')).toMatchObject({ state: 'matched', foundation: 'f1', next: 'boot' })
    clock.advance(1000)
    const { createdAt, updatedAt, foundation } = await survey.register('m')
    expect([Date.parse(updatedAt) - Date.parse(createdAt), foundation]).toEqual([1000, 'f1'])
  })

  it.each([
    ['an empty identifier', '', {}, undefined, 'The identifier of a machine'],
    ['a path as identifier', '../x', {}, undefined, 'letters, digits'],
    ['an identifier that is too long', 'x'.repeat(101), {}, undefined, '100 characters'],
    ['no report', 'm', null, undefined, "The report of machine 'm'"],
    ['a list for a report', 'm', [], undefined, 'must be a JSON object'],
    ['an address that is none', 'm', {}, 'here', 'The source of the report'],
  ])('with %s is refused, and not kept', async (_, name, report, address, message) => {
    const { survey } = await openHall()
    await expect(survey.report(name, report as never, { address })).rejects.toMatchObject({
      ...{ code: 'VALIDATION_FAILED', message: expect.stringContaining(message) },
    })
    expect((await survey.list()).items).toEqual([])
  })

  it('learns no MAC where one is known already, and says so', async () => {
    const { survey, create, setPort, macsOf } = await openHall()
    await create('f1', { serials: ['BRD-1'] })
    await setPort('f1', 'eth0', { mac: '52:54:00:00:00:aa' })
    expect((await survey.report('m', machineReport())).message).toBe(
      "It is Foundation 'f1', by serial number or BMC BRD-1. Interface 'eth0' has the MAC 52:54:00:00:00:aa; its card has 52:54:00:00:00:01",
    )
    expect(await macsOf('f1')).toEqual({ eth0: '52:54:00:00:00:aa', port1: '52:54:00:00:00:02' })
  })
})

describe('many machines', () => {
  it('and one with many cards cost no more statements than one with few', async () => {
    let statements = 0
    const server = await postgresKind.create()
    const client = postgres(String(server.option), { max: 2, onnotice: () => undefined, debug: () => statements++ })
    const dropped = async () => {
      await client.end()
      await server.drop()
    }
    const { contractor, create, survey, macsOf } = await openHall({
      kind: 'postgres',
      create: async () => ({ option: client, drop: dropped }),
    })
    const costOf = async (cards: number, from: number) => {
      const locator = `f${from}`
      await create(locator, { serials: [locator] })
      const list = Array.from({ length: cards }, (_, at) => ({ name: `p${at}`, number: from + at }))
      await contractor.interfaces.createMany(list.map(({ name }) => ({ kind: 'real', foundation: locator, name })))
      const networkInterfaces = list.map(({ name, number }) => ({
        ...{ name, mac: `525400${number.toString(16).padStart(6, '0')}` },
        lldp: { systemName: 'sw', portId: `${number}` },
      }))
      const before = statements
      await survey.report(locator, { chassis: { serial: locator }, networkInterfaces })
      return statements - before
    }
    const few = await costOf(1, 1)
    expect(await costOf(100, 1000)).toBe(few)
    expect(Object.values(await macsOf('f1000')).filter(mac => mac !== null)).toHaveLength(100)
    expect(few).toBeLessThan(30)
  })

  it('that report at once and are one Foundation: one of them is it, the others are put aside', async () => {
    const { survey, contractor, create } = await openHall()
    for (const n of [1, 2, 3, 4]) await create(`f${n}`, { serials: [`S${n}`] })
    const reports = [1, 2, 3, 4].flatMap(n =>
      ['a', 'b', 'c'].map(machine => survey.report(`${machine}${n}`, { system: { serial: `S${n}` } })),
    )
    // The same machine twice, as when an answer was lost.
    const seen = await Promise.all([...reports, survey.report('a1', { system: { serial: 'S1' } })])
    expect(seen).toHaveLength(13)
    const all = (await survey.list()).items
    expect(
      all
        .filter(one => one.state === 'matched')
        .map(one => one.foundation)
        .sort(),
    ).toEqual(['f1', 'f2', 'f3', 'f4'])
    expect(all.filter(one => one.state === 'aside')).toHaveLength(8)
    const located = (await contractor.events.list({ limit: 1000 })).filter(one => one.type === 'foundation.located')
    expect(located).toHaveLength(4)
  })

  it('that report while their Foundations are destroyed are matched with what is there, or with nothing', async () => {
    const { survey, contractor, create } = await openHall()
    const names = Array.from({ length: 12 }, (_, at) => `f${at}`)
    for (const name of names) await create(name, { serials: [name] })
    const report = (name: string) =>
      survey.report(name, machineReport({ baseboard: { serial: name }, networkInterfaces: [] }))
    for (const name of names) await report(name)
    const destroy = (name: string) => contractor.foundations.setState(name, 'destroyed')
    await Promise.all(names.flatMap(name => [report(name), destroy(name), survey.retry(name)]))
    for (const name of names) {
      const { foundation, next } = await survey.get(name)
      const { state, idMap } = await contractor.foundations.get(name)
      expect([foundation, next, idMap === null]).toEqual(
        state === 'planned' ? [null, 'report', true] : [name, 'boot', false],
      )
    }
  })

  it('that report at once and have the same MAC: it is one of theirs, and the others are told', async () => {
    const { survey, create, macsOf } = await openHall()
    const names = ['f1', 'f2', 'f3', 'f4', 'f5', 'f6']
    for (const name of names) await create(name, { serials: [name] })
    const networkInterfaces = [{ name: 'eth0', mac: '52:54:00:00:00:0c' }]
    const seen = await Promise.all(
      names.map(name => survey.report(name, { chassis: { serial: name }, networkInterfaces })),
    )
    // A MAC is more than a serial number: whoever comes later seems to be the one that has it by then.
    for (const one of seen) expect([one.identifier, 'aside']).toContain(one.foundation ?? one.state)
    const macs = (await Promise.all(names.map(macsOf))).map(ports => ports.eth0)
    expect(macs.filter(mac => mac !== null)).toEqual(['52:54:00:00:00:0c'])
  })

  it('are not kept beyond a limit, nor for ever', async () => {
    const { survey, contractor, create, clock, database } = await openHall()
    await create('f1', { serials: ['BRD-1'] })
    await survey.report('matched', machineReport())
    const client = postgres(database.option as string, { max: 1 })
    await client`insert into contractor.cartographer (identifier, created_at, updated_at)
      select 'n' || n, '2026-01-01', '2026-01-01' from generate_series(1, 10000) n`
    await client.end()
    await expect(survey.report('one-more', {})).rejects.toMatchObject({
      ...{ code: 'LIMIT_REACHED', data: { kind: 'Cartographer', limit: 10_000 } },
    })
    expect(await survey.report('n1', {})).toMatchObject({ state: 'unmatched' })
    clock.advance(89 * 86_400_000)
    await survey.report('n1', {})
    clock.advance(2 * 86_400_000)
    await contractor.foreman.forget()
    expect((await survey.list()).items.map(one => one.identifier)).toEqual(['matched', 'n1'])
    expect(await survey.report('one-more', {})).toMatchObject({ state: 'unmatched' })
  })
})
