import { describe, expect, it } from 'vitest'
import { hostmaster, openTown } from './dns-town.ts'

/** Two Zones, `example.com` of Site `lab` and `other.test` of a Site beside it. */
async function openTowns() {
  const town = await openTown()
  const { contractor } = town
  const { zones, sites } = contractor
  await zones.create({ name: 'other.test', ...hostmaster, nameservers: ['ns.elsewhere.net'] })
  await sites.create({ name: 'annex', zone: 'other.test' })
  const cname = (zone: string, name: string, target: string) =>
    zones.entries.create({ zone, name, type: 'CNAME', target })
  const warnings = async () => (await contractor.dns.preview()).warnings
  return { ...town, cname, warnings }
}

describe('CNAMEs', () => {
  it('that would lead in a ring are refused with the way round, through several Zones too', async () => {
    const { cname, contractor } = await openTowns()
    await cname('example.com', 'a', 'b')
    await cname('example.com', 'b', 'c.other.test')
    const ring = 'c.other.test -> a.example.com -> b.example.com -> c.other.test'
    await expect(cname('other.test', 'c', 'a.example.com')).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      message: `'c.other.test' cannot be a CNAME of 'a.example.com': that leads in a ring: ${ring}`,
      data: { issues: [{ path: 'target', message: 'leads in a ring' }] },
    })
    await expect(cname('other.test', 'd', 'd')).rejects.toThrow('in a ring: d.other.test -> d.other.test')
    expect((await contractor.zones.entries.list({ zone: 'other.test' })).items).toEqual([])
  })

  it('that are changed are looked at as they will be', async () => {
    const { cname, contractor } = await openTowns()
    const { entries } = contractor.zones
    await cname('example.com', 'a', 'b')
    const c = await cname('example.com', 'c', 'a')
    await expect(entries.update(c.id, { name: 'b' })).rejects.toThrow(
      'in a ring: b.example.com -> a.example.com -> b.example.com',
    )
    // A long way is no ring, and neither is one that it leaves.
    await entries.update(c.id, { target: 'd' })
    await entries.update(c.id, { target: 'a' })
    await cname('example.com', 'd', 'c')
  })

  it('that are in a ring already are told when they are published, each ring once', async () => {
    const { cname, warnings, run } = await openTowns()
    await cname('example.com', 'b', 'a')
    await cname('example.com', 'x', 'b')
    await run(`insert into contractor.zone_entry (zone, name, type, data, created_at, updated_at)
      values ('example.com', 'a', 'CNAME', '{"target":"c.other.test"}', now(), now()),
        ('other.test', 'c', 'CNAME', '{"target":"b.example.com"}', now(), now())`)
    const [told, ...others] = (await warnings()).filter(one => one.includes('ring'))
    expect(told).toBe('CNAMEs lead in a ring: a.example.com -> c.other.test -> b.example.com -> a.example.com')
    expect(others).toEqual([])
  })
})

describe('an address at two Sites', () => {
  it('leads back to two names: that is told, in the same words each time', async () => {
    const { block, settle, contractor, warnings } = await openTowns()
    await contractor.addressBlocks.create({ name: 'annex-lan', site: 'annex', subnet: '10.1.0.0/24' })
    await block('lab', '10.1.0.0/24')
    await settle('annex', 'zeta', '10.1.0.5')
    await settle('lab', 'alpha', '10.1.0.5')
    await settle('lab', 'beta', '10.1.0.6')
    const told =
      'Zone 0.1.10.in-addr.arpa: 5.0.1.10.in-addr.arpa leads back to 2 names: alpha.example.com, zeta.other.test'
    for (let times = 0; times < 2; times++)
      expect((await warnings()).filter(one => one.includes('leads back'))).toEqual([told])
  })
})
