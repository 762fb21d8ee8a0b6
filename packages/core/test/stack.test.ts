import type { Foundation, Job, Structure } from '@contractor/core'
import { describe, expect, it } from 'vitest'
import { databaseKinds } from '../../../test/databases.ts'
import { openShop, type Shop } from './shop.ts'

/** BluePrints whose scripts each do one thing that an agent has to do. */
async function openWorks(kind?: (typeof databaseKinds)[number]) {
  const shop = await openShop(kind)
  const { contractor } = shop
  await contractor.scripts.put({ name: 'do', source: 'foundation.oil()' })
  for (const which of ['foundation', 'structure'] as const) {
    await contractor.blueprints.put({ kind: which, name: which, scripts: { create: 'do', destroy: 'do' } })
  }
  const foundation = (locator: string, complex: string | null = null) =>
    contractor.foundations.create({
      locator,
      type: 'Lathe',
      site: 'lab',
      blueprint: 'foundation',
      fields: { serial: locator },
      complex,
    })
  const structure = (hostname: string, on: string) =>
    contractor.structures.create({ hostname, site: 'lab', blueprint: 'structure', foundation: on })
  return { ...shop, foundation, structure }
}

/** Lets the Foreman and an agent work until nothing is left to do; says in which order Jobs came to their end. */
async function workOff(shop: Shop, jobs: Record<string, Job>): Promise<string[]> {
  const ended: string[] = []
  for (let idle = 0; idle < 2; ) {
    await shop.contractor.foreman.runDue()
    const tasks = await shop.claim({ lathe: 1 })
    for (const task of tasks) await shop.answer(task, { oiled: true })
    for (const [name, job] of Object.entries(jobs)) {
      if (!ended.includes(name) && (await job.refresh()).state === 'done') ended.push(name)
    }
    idle = tasks.length ? 0 : idle + 1
    shop.clock.advance(300)
  }
  return ended
}

describe.each(databaseKinds)('a whole stack on $kind', kind => {
  it('is ordered at once, builds itself from the metal up, and is destroyed in the reverse order', async () => {
    const shop = await openWorks(kind)
    const { contractor } = shop
    const metal = [await shop.foundation('metal1'), await shop.foundation('metal2')]
    const hosts = [await shop.structure('host1', 'metal1'), await shop.structure('host2', 'metal2')]
    await contractor.complexes.create({ name: 'cluster', site: 'lab', members: hosts.map(host => host.id) })
    const vms = [await shop.foundation('vm1', 'cluster'), await shop.foundation('vm2', 'cluster')]
    const services = [await shop.structure('dns', 'vm1'), await shop.structure('web', 'vm2')]
    const edge = await contractor.dependencies.create({
      foundation: 'vm2',
      structure: services[0]?.id,
      createScript: 'do',
      destroyScript: 'do',
    })

    const order = async (action: 'doCreate' | 'doDestroy') => {
      const all: [string, Foundation | Structure | typeof edge][] = [
        ...services.map((one): [string, Structure] => [one.hostname, one]),
        ['edge', edge],
        ...vms.map((one): [string, Foundation] => [one.locator, one]),
        ...hosts.map((one): [string, Structure] => [one.hostname, one]),
        ...metal.map((one): [string, Foundation] => [one.locator, one]),
      ]
      const jobs: Record<string, Job> = {}
      for (const [name, one] of action === 'doCreate' ? all : all.reverse()) jobs[name] = await one[action]()
      return jobs
    }
    const creating = await order('doCreate')
    await contractor.foreman.runDue()
    for (const one of metal) await one.setLocated()
    expect(await workOff(shop, creating)).toEqual([
      'metal1',
      'metal2',
      'host1',
      'host2',
      'vm1',
      'dns',
      'edge',
      'vm2',
      'web',
    ])
    expect((await contractor.structures.list({ state: 'built' })).items).toHaveLength(4)
    expect(await contractor.complexes.get('cluster')).toMatchObject({ state: 'built' })

    const up = ['metal1', 'metal2', 'host1', 'host2', 'vm1', 'dns', 'edge', 'vm2', 'web']
    const down = await workOff(shop, await order('doDestroy'))
    const before = (first: string, second: string) =>
      expect(down.indexOf(first), `${first} before ${second}`).toBeLessThan(down.indexOf(second))
    expect([...down].sort()).toEqual([...up].sort())
    for (const [first, second] of [
      ['web', 'vm2'],
      ['vm2', 'edge'],
      ['edge', 'dns'],
      ['dns', 'vm1'],
      ['vm1', 'host1'],
      ['vm2', 'host2'],
      ['host1', 'metal1'],
      ['host2', 'metal2'],
    ] as const) {
      before(first, second)
    }
    expect(await contractor.complexes.get('cluster')).toMatchObject({ state: 'planned' })
  })
})

describe('a Complex', () => {
  it('is built when enough of its members are, and then locates what it provides', async () => {
    const { contractor, foundation, structure } = await openWorks()
    const hosts: Structure[] = []
    for (let at = 0; at < 10; at++) {
      await foundation(`f${at}`)
      hosts.push(await structure(`h${at}`, `f${at}`))
    }
    await contractor.complexes.create({ name: 'c', site: 'lab', members: hosts.map(host => host.id) })
    const vm = await foundation('vm', 'c')
    const job = await vm.doCreate()
    for (const host of hosts.slice(0, 8)) await host.setBuilt()
    await contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'waiting', message: "Waiting for Complex 'c' to be built" })
    await hosts[8]?.setBuilt()
    expect(await contractor.complexes.get('c')).toMatchObject({ state: 'built' })
    await contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'queued' })
    expect(await vm.refresh()).toMatchObject({ state: 'located' })
    await expect(contractor.complexes.delete('c')).rejects.toMatchObject({
      code: 'IN_USE',
      data: { by: ['Foundation vm'] },
    })
    await expect(hosts[9]?.delete()).rejects.toMatchObject({ code: 'IN_USE', data: { by: ['Complex c'] } })
  })

  it('that stays built lets a member go; one that would not, does not', async () => {
    const shop = await openWorks()
    const { contractor, foundation, structure } = shop
    const hosts: Structure[] = []
    for (const name of ['h1', 'h2']) {
      await (await foundation(name)).setBuilt()
      hosts.push(await (await structure(name, name)).setBuilt())
    }
    await contractor.complexes.create({
      name: 'c',
      site: 'lab',
      builtPercentage: 50,
      members: hosts.map(host => host.id),
    })
    await (await foundation('vm', 'c')).setBuilt()
    const first = await hosts[0]?.doDestroy()
    await workOff(shop, {})
    expect(await first?.refresh()).toMatchObject({ state: 'done' })
    const second = await hosts[1]?.doDestroy()
    await contractor.foreman.runDue()
    expect(await second?.refresh()).toMatchObject({
      state: 'waiting',
      message: "Waiting for Foundation 'vm' to be destroyed",
    })
    await contractor.complexes.update('c', { builtPercentage: 1, members: [] })
    await workOff(shop, {})
    expect(await second?.refresh()).toMatchObject({ state: 'done' })
  })
})

describe('a Dependency', () => {
  it('runs its scripts on the Structure that it names, and its Foundation waits for it', async () => {
    const shop = await openWorks()
    const { contractor, foundation, structure } = shop
    await contractor.scripts.put({
      name: 'say',
      source: "pause( msg=( structure.hostname . ( ' ' . foundation.locator ) ) )",
    })
    for (const name of ['switch', 'router', 'server']) await foundation(name)
    const on = await structure('sw', 'switch')
    const where = await structure('rt', 'router')
    const edge = await contractor.dependencies.create({
      foundation: 'server',
      structure: on.id,
      scriptStructure: where.id,
      createScript: 'say',
    })
    const job = await edge.doCreate()
    await contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'waiting', message: "Waiting for Structure 'sw' to be built" })
    await on.setBuilt()
    await contractor.foreman.runDue()
    expect(await job.refresh()).toMatchObject({ state: 'paused', message: 'rt router', dependency: edge.id })
    await (await contractor.foundations.get('server')).setLocated()
    const server = await (await contractor.foundations.get('server')).doCreate()
    await contractor.foreman.runDue()
    expect(await server.refresh()).toMatchObject({
      state: 'waiting',
      message: "Waiting for Dependency 1 on Structure 'sw' to be built",
    })
    await job.resume()
    await contractor.foreman.runDue()
    expect(await edge.refresh()).toMatchObject({ state: 'built' })
    expect(await server.refresh()).toMatchObject({ state: 'queued' })
    await expect(contractor.jobs.create({ dependency: edge.id }, 'polish')).rejects.toMatchObject({
      data: { rule: 'no-utility' },
    })
  })

  it('that is hard pulls its Foundation back, with all that stands on it; a soft one does not', async () => {
    const { contractor, foundation, structure } = await openWorks()
    for (const name of ['base', 'hard', 'soft']) await (await foundation(name)).setLocated()
    const base = await structure('base', 'base')
    await contractor.dependencies.create({ foundation: 'hard', structure: base.id, link: 'hard' })
    await contractor.dependencies.create({ foundation: 'soft', structure: base.id })
    const top = await structure('top', 'hard')
    for (const name of ['base', 'hard', 'soft']) await contractor.foundations.setState(name, 'built')
    for (const one of [base, top]) await one.setBuilt()
    for (const one of (await contractor.dependencies.list()).items) await one.setBuilt()

    await base.setDestroyed()
    expect((await contractor.dependencies.list()).items.map(one => one.state)).toEqual(['planned', 'planned'])
    expect((await contractor.foundations.list()).items.map(one => [one.locator, one.state])).toEqual([
      ['base', 'built'],
      ['hard', 'planned'],
      ['soft', 'built'],
    ])
    expect(await top.refresh()).toMatchObject({ state: 'planned' })
    expect(
      (await contractor.events.list({ limit: 1000 }))
        .map(event => event.type)
        .slice(-5)
        .sort(),
    ).toEqual([
      'dependency.destroyed',
      'dependency.destroyed',
      'foundation.destroyed',
      'structure.destroyed',
      'structure.destroyed',
    ])
  })

  it('may wait for another one', async () => {
    const { contractor, foundation, structure } = await openWorks()
    for (const name of ['a', 'b']) await foundation(name)
    const on = await structure('s1', 'a')
    await foundation('c')
    const first = await contractor.dependencies.create({ foundation: 'b', structure: on.id })
    const second = await contractor.dependencies.create({ foundation: 'c', dependency: first.id })
    expect(second).toMatchObject({ scriptStructure: on.id })
    await on.setBuilt()
    const jobs = [await second.doCreate(), await first.doCreate()]
    await contractor.foreman.runDue()
    await contractor.foreman.runDue()
    expect(await Promise.all(jobs.map(async job => (await job.refresh()).state))).toEqual(['done', 'done'])
    await expect(first.delete()).rejects.toMatchObject({ code: 'IN_USE', data: { by: [`Dependency ${second.id}`] } })
  })

  it('that closes a circle is refused with the path of it', async () => {
    const { contractor, foundation, structure } = await openWorks()
    for (const name of ['f1', 'f2']) await foundation(name)
    const one = await structure('s1', 'f1')
    const two = await structure('s2', 'f2')
    await contractor.dependencies.create({ foundation: 'f2', structure: one.id })
    await expect(contractor.dependencies.create({ foundation: 'f1', structure: two.id })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      message: `Foundation f1 would need itself: Foundation f1 → Structure ${two.id} → Foundation f2 → Dependency 1 → Structure ${one.id} → Foundation f1`,
    })
    await expect(contractor.dependencies.create({ foundation: 'f1', structure: one.id })).rejects.toThrow(
      'Foundation f1 would need itself',
    )
    await contractor.complexes.create({ name: 'c', site: 'lab' })
    await foundation('vm', 'c')
    const inside = await structure('inside', 'vm')
    await expect(contractor.complexes.update('c', { members: [inside.id] })).rejects.toThrow(
      'Complex c would need itself',
    )
    expect((await contractor.dependencies.list()).items).toHaveLength(1)
  })

  it.each([
    [{ foundation: 'f1' }, 'VALIDATION_FAILED'],
    [{ foundation: 'f1', structure: 1, dependency: 1 }, 'VALIDATION_FAILED'],
    [{ foundation: 'f9', structure: 1 }, 'NOT_FOUND'],
    [{ foundation: 'f1', structure: 99 }, 'NOT_FOUND'],
    [{ foundation: 'f1', dependency: 99 }, 'NOT_FOUND'],
    [{ foundation: 'f1', structure: 1, createScript: 'nothing' }, 'NOT_FOUND'],
  ])('of %j is refused', async (input, code) => {
    const { contractor, foundation, structure } = await openWorks()
    await foundation('f1')
    await foundation('f2')
    await structure('s2', 'f2')
    await expect(contractor.dependencies.create(input)).rejects.toMatchObject({ code })
  })
})

describe('a waiting Job', () => {
  it('starts when the Job that it waits for is cancelled', async () => {
    const shop = await openWorks()
    const { contractor } = shop
    const under = await (await shop.foundation('f')).setBuilt()
    const on = await (await shop.structure('s1', 'f')).setBuilt()
    const down = await under.doDestroy()
    const structureJob = await on.doDestroy()
    await workOff(shop, { structureJob })
    const again = await on.doCreate()
    await contractor.foreman.runDue()
    expect(await down.refresh()).toMatchObject({ state: 'done' })
    expect(await again.refresh()).toMatchObject({ state: 'waiting' })
  })
})
