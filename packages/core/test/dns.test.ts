import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createContractor } from '@contractor/core'
import { afterEach, describe, expect, it } from 'vitest'
import { databaseKinds } from '../../../test/databases.ts'
import { hostmaster, openTown, type Town } from './dns-town.ts'
import { lathe } from './lathe.ts'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})
async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'contractor-dns-'))
  folders.push(folder)
  return folder
}

async function openVillage(kind?: (typeof databaseKinds)[number]): Promise<Town> {
  const town = await openTown(kind)
  await town.block('lab', '192.0.2.0/24')
  await town.settle('lab', 'ns1', '192.0.2.1')
  return town
}

const zoneOf = async ({ contractor }: Town, name: string) =>
  (await contractor.dns.publish()).zones.find(zone => zone.name === name)

describe.each(databaseKinds)('zones on $kind', kind => {
  it('are published from what is known, with a serial that rises when and only when something in them changes', async () => {
    const town = await openVillage(kind)
    const { contractor, clock } = town
    await town.block('lab', '2001:db8::/64')
    await contractor.sites.create({ name: 'hall', parent: 'lab' })
    const web = await town.settle('hall', 'web01', '192.0.2.10', 'eth0=2001:db8::10', 'eth1=192.0.2.110')
    await contractor.zones.entries.create({ zone: 'example.com', name: 'www', type: 'CNAME', target: 'web01' })
    const first = await contractor.dns.publish()
    expect(first.warnings).toEqual([])
    expect(first.zones.map(({ name, serial }) => [name, serial])).toEqual([
      ['example.com', 2026010100],
      ['0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa', 2026010100],
      ['2.0.192.in-addr.arpa', 2026010100],
    ])
    expect(first.zones[0]?.text.split('\n').slice(4)).toEqual([
      '@ IN NS ns1.example.com.',
      'ns1 IN A 192.0.2.1',
      'eth0.ns1 IN A 192.0.2.1',
      'web01 IN A 192.0.2.10',
      'web01 IN AAAA 2001:db8::10',
      'eth0.web01 IN A 192.0.2.10',
      'eth0.web01 IN AAAA 2001:db8::10',
      'eth1.web01 IN A 192.0.2.110',
      'www IN CNAME web01.example.com.',
      '',
    ])
    const published = async () => (await contractor.dns.publish()).zones.map(zone => zone.serial)
    expect(await published()).toEqual([2026010100, 2026010100, 2026010100])
    await town.move(web, '192.0.2.12')
    expect((await contractor.dns.preview()).zones.map(zone => zone.serial)).toEqual([
      2026010101, 2026010100, 2026010101,
    ])
    expect(await published()).toEqual([2026010101, 2026010100, 2026010101])
    clock.advance(-86_400_000)
    await town.move(web, '192.0.2.10')
    expect(await published()).toEqual([2026010102, 2026010100, 2026010102])
    const events = (await contractor.events.list({ limit: 1000 })).filter(event => event.type === 'zone.published')
    expect(events.map(event => event.data)).toContainEqual({ zone: 'example.com', serial: 2026010102 })
    expect(events).toHaveLength(7)
  })

  it('have each hostname once, whichever Sites it comes by', async () => {
    const town = await openVillage(kind)
    const { contractor } = town
    await contractor.sites.create({ name: 'hall', parent: 'lab' })
    await contractor.sites.create({ name: 'yard' })
    const refused = {
      code: 'ALREADY_EXISTS',
      message: expect.stringMatching(
        /Site '(lab|hall|yard)' has a Structure 'ns1', and both Sites are in Zone 'example.com'/,
      ),
    }
    await expect(town.settle('hall', 'ns1')).rejects.toMatchObject(refused)
    // A Site without a zone may have it, but not come into the zone with it: neither itself nor by its parent.
    const other = await town.settle('yard', 'ns1')
    await expect(contractor.sites.update('yard', { zone: 'example.com' })).rejects.toMatchObject(refused)
    await expect(contractor.sites.update('yard', { parent: 'hall' })).rejects.toMatchObject(refused)
    await contractor.zones.create({ name: 'yard.example.com', ...hostmaster, nameservers: ['ns1.example.com'] })
    await contractor.sites.update('yard', { zone: 'yard.example.com', parent: 'hall' })
    await expect(contractor.sites.update('yard', { zone: null })).rejects.toMatchObject(refused)
    await expect(contractor.zones.delete('yard.example.com')).rejects.toThrow(
      "Zone 'yard.example.com' cannot be deleted: Site yard needs it",
    )
    await expect(contractor.zones.delete('example.com')).rejects.toMatchObject({
      data: { by: ['Site lab', 'Zone yard.example.com'] },
    })
    await other.delete()
    await contractor.sites.update('yard', { zone: null })
    await contractor.zones.delete('yard.example.com')
    expect((await contractor.zones.list()).items.map(zone => zone.name)).toEqual(['example.com'])
    await expect(contractor.sites.create({ name: 'x', zone: 'nowhere.test' })).rejects.toThrow(
      "Zone 'nowhere.test' does not exist",
    )
  })
})

describe('zones', () => {
  it('stand in a tree by their names: the nearest one delegates, and one that comes between takes over', async () => {
    const { contractor } = await openTown()
    const create = (name: string, more = {}) =>
      contractor.zones.create({ name, ...hostmaster, nameservers: ['ns1.example.com'], ...more })
    expect(await create('A.B.Example.com.')).toMatchObject({
      name: 'a.b.example.com',
      parent: 'example.com',
      retry: 600,
    })
    expect(await create('b.example.com')).toMatchObject({ parent: 'example.com' })
    expect(await contractor.zones.get('a.b.example.com')).toMatchObject({ parent: 'b.example.com' })
    expect(await create('own.example.com', { parent: null })).toMatchObject({ parent: null })
    await create('c.b.example.com')
    await expect(create('x.b.example.com', { parent: 'example.com' })).rejects.toThrow(
      "Zone 'x.b.example.com' cannot have the parent 'example.com': 'b.example.com' is between them: that is the parent",
    )
    await expect(create('other.test', { parent: 'example.com' })).rejects.toThrow(
      "would have to end with '.example.com'",
    )
    await expect(create('y.test', { parent: 'nowhere.test' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(create('b.example.com')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    await expect(contractor.zones.update('b.example.com', { retry: 4000 })).rejects.toThrow(
      'retry: must be less than refresh (3600)',
    )
    expect(await contractor.zones.update('b.example.com', { retry: 4000, refresh: 8000 })).toMatchObject({
      retry: 4000,
    })
    expect(await create('com')).toMatchObject({ parent: null })
    expect(await contractor.zones.get('example.com')).toMatchObject({ parent: 'com' })
    expect(await contractor.zones.get('own.example.com')).toMatchObject({ parent: 'com' })
  })

  it('with wrong input are refused, with the field and its rule', async () => {
    const { contractor } = await openTown()
    const table: [object, string][] = [
      [{ name: 'exa_mple.com' }, 'name: must be labels'],
      [{ name: `${'a'.repeat(64)}.com` }, 'name: must be labels'],
      [{ name: `${'a.'.repeat(120)}com` }, 'name: must be 189 characters at the most'],
      [{ name: '2.0.192.in-addr.arpa' }, 'is a reverse zone: those are made from AddressBlocks'],
      [{ name: 'ok.test', email: 'nobody' }, 'email: must be a mail address'],
      [{ name: 'ok.test', nameservers: [] }, 'nameservers: must name one at the least'],
      [{ name: 'ok.test', nameservers: ['ns1'] }, 'nameservers.0: must be the full name of a host'],
      [{ name: 'ok.test', nameservers: ['ns1.ok.test', 'NS1.ok.test.'] }, 'nameservers: must name none twice'],
      [{ name: 'ok.test', ttl: -1 }, 'ttl: '],
      [{ name: 'ok.test', expire: 4000 }, 'expire: must be more than refresh and retry together (4200)'],
      [{ name: 'ok.test', serial: 1 }, 'serial'],
    ]
    for (const [wrong, message] of table) {
      await expect(
        contractor.zones.create({ ...hostmaster, nameservers: ['ns1.example.com'], ...wrong } as never),
      ).rejects.toMatchObject({ code: 'VALIDATION_FAILED', message: expect.stringContaining(message) })
    }
  })
})

describe('entries', () => {
  it('lead within the zone by a name without a dot, and elsewhere by a full name; they are changed and deleted', async () => {
    const town = await openVillage()
    const { entries } = town.contractor.zones
    const at = { zone: 'example.com' }
    const mx = await entries.create({ ...at, name: '@', type: 'MX', priority: 10, target: 'ns1' })
    expect(mx).toMatchObject({ target: 'ns1.example.com', ttl: null })
    expect(
      await entries.create({ ...at, name: '@', type: 'MX', priority: 20, target: 'Mail.Example.NET.' }),
    ).toMatchObject({
      target: 'mail.example.net',
    })
    await expect(
      entries.create({ ...at, name: '@', type: 'MX', priority: 10, target: 'ns1.example.com' }),
    ).rejects.toThrow("Zone 'example.com' has this MX of '@' already")
    const six = await entries.create({ ...at, name: 'v6', type: 'AAAA', address: '2001:DB8:0:0::1', ttl: 60 })
    expect(six).toMatchObject({ address: '2001:db8::1', ttl: 60 })
    expect(await entries.update(mx.id, { priority: 15, ttl: 300 })).toMatchObject({ priority: 15, ttl: 300 })
    await expect(entries.update(mx.id, { text: 'x' })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
    expect((await entries.list({ ...at, limit: 2 })).next).toBeDefined()
    await entries.delete(six.id)
    await expect(entries.get(six.id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await zoneOf(town, 'example.com'))?.text).toContain('@ 300 IN MX 15 ns1.example.com.\n@ 300 IN MX 20 mail')
  })

  it('with wrong input are refused, with the field and its rule', async () => {
    const { contractor } = await openTown()
    const table: [object, string][] = [
      [{ name: 'a b', type: 'A', address: '192.0.2.1' }, '@, or labels of letters'],
      [{ name: 'a_b', type: 'A', address: '192.0.2.1' }, '@, or labels of letters'],
      [{ name: 'www.example.com', type: 'A', address: '192.0.2.1' }, "say 'www' instead of 'www.example.com'"],
      [{ name: 'a', type: 'A', address: '192.0.2.256' }, 'must be an IPv4 address'],
      [{ name: 'a', type: 'AAAA', address: '192.0.2.1' }, 'must be an IPv6 address'],
      [{ name: '@', type: 'CNAME', target: 'x.test' }, 'must not be the zone itself'],
      [{ name: '@', type: 'MX', priority: 70000, target: 'ns1' }, 'priority'],
      [{ name: '@', type: 'MX', priority: 1, target: 'a_b' }, 'must be a host'],
      [
        { name: 'sip', type: 'SRV', priority: 1, weight: 1, port: 1, target: 'ns1' },
        'must begin with a service and protocol',
      ],
      [{ name: '*.x', type: 'NS', target: 'ns1' }, 'must be no wildcard'],
      [{ name: '@', type: 'TXT', text: 'a\0b' }, 'must be text without NUL'],
      [{ name: '@', type: 'TXT', text: 'x'.repeat(2001) }, 'must be 2000 bytes at the most'],
      [{ name: '@', type: 'CAA', tag: 'is sue', value: 'x' }, 'must be letters and digits'],
      [{ name: '@', type: 'TXT', text: 'x', color: 1 }, 'color'],
      [{ name: '@', type: 'HINFO', text: 'x' }, 'type'],
    ]
    for (const [wrong, message] of table) {
      await expect(contractor.zones.entries.create({ zone: 'example.com', ...wrong } as never)).rejects.toMatchObject({
        code: 'VALIDATION_FAILED',
        message: expect.stringContaining(message),
      })
    }
  })

  it('break no zone: a CNAME stands alone, nothing that needs a host leads to one, and delegations hide nothing', async () => {
    const town = await openVillage()
    const { zones } = town.contractor
    const at = { zone: 'example.com' }
    const add = (entry: object) => zones.entries.create({ ...at, ...entry } as never)
    const cname = (name: string) => add({ name, type: 'CNAME', target: 'ns1' })
    await cname('alias')
    await add({ name: 'sub', type: 'NS', target: 'ns.sub.example.com' })
    await add({ name: 'ns.sub', type: 'A', address: '192.0.2.99' })
    await add({ name: 'txt.deep', type: 'TXT', text: 'x' })
    await zones.create({ name: 'child.example.com', ...hostmaster, nameservers: ['ns1.child.example.com'] })
    const refusals: [() => Promise<unknown>, string][] = [
      [
        () => cname('ns1'),
        "'ns1.example.com' cannot have a CNAME: it is the Structure 'ns1' of Site 'lab'. Use another name",
      ],
      [
        () => add({ name: 'alias', type: 'TXT', text: 'x' }),
        "'alias.example.com' has a CNAME: a CNAME stands beside nothing else",
      ],
      [() => cname('txt.deep'), "'txt.deep.example.com' has a TXT: a CNAME stands beside nothing else"],
      [
        () => add({ name: '@', type: 'MX', priority: 1, target: 'alias' }),
        "cannot lead to 'alias.example.com', which is a CNAME",
      ],
      [() => add({ name: 'sub', type: 'TXT', text: 'x' }), "an NS entry delegates 'sub.example.com'"],
      [() => add({ name: 'x.sub', type: 'TXT', text: 'x' }), "an NS entry delegates 'sub.example.com'"],
      [() => add({ name: 'deep', type: 'NS', target: 'ns1' }), "cannot be delegated: 'txt.deep' of the zone has a TXT"],
      [() => add({ name: 'ns1', type: 'NS', target: 'ns1' }), "it is the Structure 'ns1'"],
      [
        () => add({ name: 'x.child', type: 'A', address: '192.0.2.1' }),
        "'child.example.com' is a Zone of its own. Add it there",
      ],
      [
        () => town.settle('lab', 'alias'),
        "cannot have the name 'alias.example.com': Zone 'example.com' has a CNAME of that name",
      ],
      [() => town.settle('lab', 'sub'), "Zone 'example.com' delegates that name with an NS entry"],
      [() => town.settle('lab', 'child'), "it is a Zone of its own, which 'example.com' delegates"],
      [
        () => zones.create({ name: 'ns1.example.com', ...hostmaster, nameservers: ['ns.test.test'] }),
        "cannot be delegated by 'example.com', which has the Structure 'ns1' of Site 'lab'",
      ],
      [
        () => zones.create({ name: 'deep.example.com', ...hostmaster, nameservers: ['ns.test.test'] }),
        "which has a TXT of 'txt.deep.example.com'",
      ],
      [
        () => zones.update('example.com', { nameservers: ['alias.example.com'] }),
        "'alias.example.com', which is a CNAME",
      ],
    ]
    for (const [refused, message] of refusals) await expect(refused(), message).rejects.toThrow(message)
    await add({ name: 'mail', type: 'A', address: '192.0.2.7' })
    const mail = (await zones.entries.list({ ...at, name: 'mail' })).items[0]
    await add({ name: '@', type: 'MX', priority: 1, target: 'mail' })
    await zones.entries.delete(mail?.id ?? 0)
    await expect(cname('mail')).rejects.toThrow('the MX of example.com leads to it, and must lead to a host')
  })
})

describe('concurrent changes', () => {
  it('of 20 callers who give two Sites of a zone the same ten names, one of each pair is refused', async () => {
    const town = await openVillage()
    await town.contractor.sites.create({ name: 'hall', parent: 'lab' })
    const names = Array.from({ length: 10 }, (_, index) => `twin-${index}`)
    const outcomes = await Promise.allSettled(
      names.flatMap(name => [town.settle('lab', name), town.settle('hall', name)]),
    )
    const refused = outcomes.filter(outcome => outcome.status === 'rejected')
    expect(refused.map(outcome => (outcome.reason as { code: string }).code)).toEqual(Array(10).fill('ALREADY_EXISTS'))
  })

  it('of two processes that write while addresses change, the files end as the last state, and serials never fall', async () => {
    const town = await openVillage()
    const folder = await newFolder()
    const other = await createContractor({
      database: town.database.option,
      plugins: [lathe],
      foreman: false,
      clock: town.clock,
    })
    const web = await town.settle('lab', 'web01', '192.0.2.10')
    const seen: number[] = []
    const writers = [town.contractor, other]
    for (let round = 0; round < 10; round++) {
      await Promise.all([...writers.map(one => one.dns.write(folder)), town.move(web, `192.0.2.${20 + round}`)])
      const text = await readFile(join(folder, 'example.com.zone'), 'utf8')
      seen.push(Number(/SOA \S+ \S+ (\d+)/.exec(text)?.[1]))
    }
    await Promise.all(writers.map(one => one.dns.write(folder)))
    expect(seen).toEqual([...seen].sort())
    expect(await readFile(join(folder, 'example.com.zone'), 'utf8')).toContain('\nweb01 IN A 192.0.2.29\n')
    await other.close()
  })
})

describe('files', () => {
  it('are written when they change, removed when they are no zones any more, and never those of somebody else', async () => {
    const town = await openVillage()
    const { contractor } = town
    const folder = await newFolder()
    await writeFile(join(folder, 'hand-made.zone'), '$ORIGIN hand-made.\n')
    const dry = await contractor.dns.write(folder, { check: true })
    expect(dry.changes).toHaveLength(3)
    expect(await readdir(folder)).toEqual(['hand-made.zone'])
    expect(await contractor.dns.write(folder, { namedDirectory: '/var/lib/named/lab' })).toEqual({
      changes: [
        { file: join(folder, 'example.com.zone'), change: 'new', serial: 2026010100 },
        { file: join(folder, '2.0.192.in-addr.arpa.zone'), change: 'new', serial: 2026010100 },
        { file: join(folder, 'named.conf.contractor'), change: 'new' },
      ],
      zones: 2,
      warnings: [],
    })
    expect(await readFile(join(folder, 'named.conf.contractor'), 'utf8')).toContain(
      'zone "example.com" IN {\n\ttype primary;\n\tfile "/var/lib/named/lab/example.com.zone";\n};\n',
    )
    const again = { namedDirectory: '/var/lib/named/lab' }
    expect((await contractor.dns.write(folder, again)).changes).toEqual([])
    // A file that somebody lost or changed is put right, with the serial that it had.
    await writeFile(join(folder, 'example.com.zone'), '; Written by Contractor: changes made here are lost.\nbroken')
    expect((await contractor.dns.write(folder, again)).changes).toMatchObject([
      { change: 'changed', serial: 2026010100 },
    ])
    await town.run('delete from contractor.address; delete from contractor.address_block')
    expect(
      (await contractor.dns.write(folder, again)).changes.map(({ file, change }) => [
        file.slice(folder.length + 1),
        change,
      ]),
    ).toEqual([
      ['example.com.zone', 'changed'],
      ['named.conf.contractor', 'changed'],
      ['2.0.192.in-addr.arpa.zone', 'removed'],
    ])
    expect((await readdir(folder)).sort()).toEqual(['example.com.zone', 'hand-made.zone', 'named.conf.contractor'])
  })

  it('are not written over what Contractor did not write, nor where there is no folder: nothing is changed then', async () => {
    const { contractor } = await openVillage()
    const folder = await newFolder()
    await writeFile(join(folder, '2.0.192.in-addr.arpa.zone'), 'mine')
    await expect(contractor.dns.write(folder)).rejects.toThrow('was not written by Contractor, and is left as it is')
    expect(await readdir(folder)).toEqual(['2.0.192.in-addr.arpa.zone'])
    await expect(contractor.dns.write(join(folder, 'none'))).rejects.toThrow(
      `${join(folder, 'none')} does not exist. Make it first`,
    )
    await expect(contractor.dns.write(join(folder, '2.0.192.in-addr.arpa.zone'))).rejects.toThrow('is no folder')
  })
})
