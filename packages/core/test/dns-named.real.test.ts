import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { databaseClock, parseKeyFile } from '@contractor/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { freePort } from '../../../test/embedded-postgres.ts'
import { missingPrograms, type Named, startNamed } from './dns-named.ts'
import { hostmaster, openTown, type Town } from './dns-town.ts'

const required = process.env.CONTRACTOR_REQUIRE_REAL === '1'
const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function serve(configure: (folder: string) => Promise<string>): Promise<Named> {
  const named = await startNamed(configure)
  cleanups.push(() => named.stop())
  return named
}

/** A tree of zones with something of everything. */
async function openRichTown(): Promise<Town> {
  const town = await openTown(undefined, { clock: databaseClock })
  const { contractor } = town
  await contractor.zones.update('example.com', { nameservers: ['ns1.example.com', 'ns2.example.com'], minimum: 60 })
  const child = {
    ...hostmaster,
    email: 'dns.admin@example.com',
    nameservers: ['ns1.lab.example.com', 'ns1.example.com'],
  }
  await contractor.zones.create({ name: 'lab.example.com', ...child })
  await contractor.zones.create({ name: 'deep.lab.example.com', ...hostmaster, nameservers: ['ns1.example.com'] })
  await contractor.sites.create({ name: 'shed', parent: 'lab', zone: 'lab.example.com' })
  await contractor.sites.create({ name: 'cellar', parent: 'shed', zone: 'deep.lab.example.com' })
  for (const subnet of ['192.0.2.0/25', '10.16.0.0/14', '198.51.100.0/22', '2001:db8:1::/62'])
    await town.block('lab', subnet)
  await town.block('shed', '192.0.2.128/26')
  await town.block('cellar', '10.17.0.0/16')
  await town.settle('lab', 'ns1', '192.0.2.1', 'eth0=2001:db8:1::1')
  await town.settle('lab', 'ns2', '192.0.2.2')
  await town.settle('shed', 'ns1', '192.0.2.129')
  await town.settle('cellar', 'box-1', '10.17.3.4', 'eth1.20=10.18.0.9')
  const at = { zone: 'example.com' }
  const { entries } = contractor.zones
  await entries.create({ ...at, name: '@', type: 'MX', priority: 10, target: 'ns1' })
  await entries.create({ ...at, name: '_sip._tcp', type: 'SRV', priority: 1, weight: 2, port: 5060, target: 'ns2' })
  await entries.create({ ...at, name: '_ldap._tcp', type: 'SRV', priority: 0, weight: 0, port: 0, target: '.' })
  await entries.create({ ...at, name: '@', type: 'TXT', text: `v=spf1 "quoted" ; \\ ${'x'.repeat(300)}` })
  await entries.create({ ...at, name: 'key._domainkey', type: 'TXT', text: 'ü' })
  await entries.create({ ...at, name: '@', type: 'CAA', tag: 'issue', value: 'ca.example.net; policy=ev' })
  await entries.create({ ...at, name: 'www', type: 'CNAME', target: 'ns1' })
  await entries.create({ ...at, name: '*.apps', type: 'A', address: '192.0.2.80', ttl: 30 })
  await entries.create({ ...at, name: 'away', type: 'NS', target: 'ns.away.example.com' })
  await entries.create({ ...at, name: 'ns.away', type: 'A', address: '203.0.113.9' })
  await entries.create({ ...at, name: 'six', type: 'AAAA', address: '2001:db8:1:3::6' })
  return town
}

const needs = `needs ${missingPrograms.length ? missingPrograms.join(', ') : 'named'}, of packages bind9, bind9-dnsutils and bind9-utils`

describe.skipIf(missingPrograms.length && !required)(`zone files (${needs})`, () => {
  it('pass named-checkzone, are served by named, and a change shows after the next write and reload', async () => {
    const town = await openRichTown()
    const { dns } = town.contractor
    const web = await town.settle('lab', 'web01', '192.0.2.10', 'eth0=2001:db8:1:2::10')
    const named = await serve(async folder => {
      await mkdir(join(folder, 'zones'))
      expect((await dns.write(join(folder, 'zones'))).warnings).toEqual([])
      return `include "${join(folder, 'zones', 'named.conf.contractor')}";`
    })
    const zones = join(named.folder, 'zones')
    const files = (await readdir(zones)).filter(name => name.endsWith('.zone'))
    expect(files).toHaveLength(3 + 1 + 4 + 4 + 4)
    for (const file of files) {
      const { stdout } = await promisify(execFile)('named-checkzone', [
        '-i',
        'local',
        file.slice(0, -5),
        join(zones, file),
      ])
      // Nothing but that it is loaded: no warning.
      expect(stdout.trim().split('\n')).toEqual([expect.stringMatching(/loaded serial \d{10}$/), 'OK'])
    }

    const answers: [name: string, type: string, answer: string[]][] = [
      ['web01.example.com', 'A', ['A 192.0.2.10']],
      ['web01.example.com', 'AAAA', ['AAAA 2001:db8:1:2::10']],
      ['eth0.web01.example.com', 'A', ['A 192.0.2.10']],
      ['eth1-20.box-1.deep.lab.example.com', 'A', ['A 10.18.0.9']],
      ['www.example.com', 'A', ['A 192.0.2.1', 'CNAME ns1.example.com.']],
      ['some.apps.example.com', 'A', ['A 192.0.2.80']],
      ['example.com', 'NS', ['NS ns1.example.com.', 'NS ns2.example.com.']],
      ['example.com', 'MX', ['MX 10 ns1.example.com.']],
      ['example.com', 'CAA', ['CAA 0 issue "ca.example.net; policy=ev"']],
      ['example.com', 'TXT', [`TXT "v=spf1 \\"quoted\\" ; \\\\ ${'x'.repeat(235)}" "${'x'.repeat(65)}"`]],
      ['key._domainkey.example.com', 'TXT', ['TXT "\\195\\188"']],
      ['_sip._tcp.example.com', 'SRV', ['SRV 1 2 5060 ns2.example.com.']],
      ['_ldap._tcp.example.com', 'SRV', ['SRV 0 0 0 .']],
    ]
    for (const [name, type, answer] of answers) expect(await named.dig(name, type), name).toEqual(answer)
    const pointers: [string, string[]][] = [
      ['192.0.2.10', ['PTR web01.example.com.']],
      ['192.0.2.129', ['PTR ns1.lab.example.com.']],
      ['2001:db8:1:2::10', ['PTR web01.example.com.']],
      ['10.17.3.4', ['PTR box-1.deep.lab.example.com.']],
      ['10.18.0.9', ['PTR eth1-20.box-1.deep.lab.example.com.']],
      ['192.0.2.77', []],
    ]
    for (const [ip, answer] of pointers) expect(await named.dig(reversed(ip), 'PTR'), ip).toEqual(answer)
    const soa = await named.dig('lab.example.com', 'SOA')
    expect(soa[0]).toMatch(/^SOA ns1\.lab\.example\.com\. dns\\\.admin\.example\.com\. \d{10} 3600 600 1209600 3600$/)
    const referral = await named.dig('x.away.example.com', 'A', '+norecurse', '+authority', '+additional')
    expect(referral).toEqual(['A 203.0.113.9', 'NS ns.away.example.com.'])

    await town.move(web, '192.0.2.11')
    const { changes } = await dns.write(zones)
    expect(changes.map(change => change.file.slice(zones.length + 1))).toEqual([
      'example.com.zone',
      '2.0.192.in-addr.arpa.zone',
    ])
    await named.reload()
    await vi.waitFor(async () => expect(await named.dig('web01.example.com', 'A')).toEqual(['A 192.0.2.11']), 10_000)
    await vi.waitFor(
      async () => expect(await named.dig(reversed('192.0.2.11'), 'PTR')).toEqual(['PTR web01.example.com.']),
      10_000,
    )
    expect(await named.dig(reversed('192.0.2.10'), 'PTR')).toEqual([])
  })
})

describe.skipIf(missingPrograms.length && !required)(`dynamic updates (${needs})`, () => {
  const secret = 'c2VjcmV0IG9mIHRoZSBjb250cmFjdG9yIGtleSwgMzIgYnl0ZXM='
  const keyText = (name: string, of: string, algorithm = 'hmac-sha256') =>
    `key "${name}" {\n\talgorithm ${algorithm};\n\tsecret "${of}";\n};\n`
  const key = parseKeyFile(keyText('contractor', secret), 'contractor.key')

  /** A name server whose zones anybody with the key may change; they have little in them, and something stale. */
  async function openStale(town: Town, algorithm = 'hmac-sha256', without: string[] = []): Promise<Named> {
    const { zones } = await town.contractor.dns.preview()
    return serve(async folder => {
      const blocks = zones
        .filter(({ name }) => !without.includes(name))
        .map(async ({ name }) => {
          const file = join(folder, `${name}.db`)
          const stale = name.endsWith('arpa')
            ? ''
            : `old IN A 192.0.2.99\nold IN SSHFP 1 1 0123456789abcdef0123456789abcdef01234567\n_acme-challenge IN TXT "kept"\nwww IN A 192.0.2.98\n`
          await writeFile(
            file,
            `$TTL 300\n@ IN SOA ns.old.test. a.old.test. 7 60 30 600 60\n@ IN NS ns.old.test.\n${stale}`,
          )
          const allow = 'allow-update { key "contractor"; }; allow-transfer { key "contractor"; };'
          return `zone "${name}" { type primary; file "${file}"; ${allow} };\n`
        })
      const fixed = join(folder, 'fixed.db')
      await writeFile(fixed, `$TTL 300\n@ IN SOA ns.old.test. a.old.test. 7 60 30 600 60\n@ IN NS ns.old.test.\n`)
      const refusing = without
        .slice(1)
        .map(name => `zone "${name}" { type primary; file "${fixed}"; allow-transfer { key "contractor"; }; };\n`)
      return [keyText('contractor', secret, algorithm), ...(await Promise.all(blocks)), ...refusing].join('')
    })
  }

  it('make the zones what they are to be, leave what is not ours, and follow changes', async () => {
    const town = await openRichTown()
    const { dns, zones } = town.contractor
    const web = await town.settle('lab', 'web01', '192.0.2.10')
    const named = await openStale(town)
    const server = `127.0.0.1:${named.port}`
    const keep = { keep: ['_acme-challenge'] }
    const dry = await dns.update(server, key, { check: true, ...keep })
    expect(dry.zones.every(zone => zone.added > 0 && zone.error === undefined)).toBe(true)
    expect(await named.dig('old.example.com', 'A')).toEqual(['A 192.0.2.99'])
    expect((await dns.update(server, key, keep)).zones).toEqual(dry.zones)
    expect((await dns.update(server, key, keep)).zones.map(({ zone: _, ...rest }) => rest)).toEqual(
      dry.zones.map(() => ({ added: 0, removed: 0, changedSoa: false })),
    )
    expect(await named.dig('old.example.com', 'A')).toEqual([])
    expect(await named.dig('old.example.com', 'SSHFP')).toHaveLength(1)
    expect(await named.dig('_acme-challenge.example.com', 'TXT')).toEqual(['TXT "kept"'])
    expect(await named.dig('www.example.com', 'CNAME')).toEqual(['CNAME ns1.example.com.'])
    expect(await named.dig('example.com', 'NS')).toEqual(['NS ns1.example.com.', 'NS ns2.example.com.'])
    expect(await named.dig('example.com', 'SOA')).toEqual([
      expect.stringMatching(/^SOA ns1\.example\.com\. hostmaster\.example\.com\. \d+ 3600 600 1209600 60$/),
    ])
    expect(await named.dig('example.com', 'CAA')).toEqual(['CAA 0 issue "ca.example.net; policy=ev"'])
    expect(await named.dig(reversed('10.17.3.4'), 'PTR')).toEqual(['PTR box-1.deep.lab.example.com.'])

    await town.move(web, '192.0.2.11')
    await zones.entries.create({ zone: 'example.com', name: 'late', type: 'A', address: '192.0.2.50' })
    await zones.update('example.com', { ttl: 120 })
    const { zones: done } = await dns.update(server, key, { ...keep, zones: ['example.com', '2.0.192.in-addr.arpa'] })
    expect(done).toMatchObject([{ zone: 'example.com' }, { zone: '2.0.192.in-addr.arpa' }])
    expect(await named.dig('web01.example.com', 'A')).toEqual(['A 192.0.2.11'])
    expect(await named.dig(reversed('192.0.2.11'), 'PTR')).toEqual(['PTR web01.example.com.'])
    expect(await named.dig(reversed('192.0.2.10'), 'PTR')).toEqual([])
    // The TTL of the zone is also that of the reverse zones, which were not asked for.
    const rest = (await dns.update(server, key, keep)).zones.filter(zone => zone.changedSoa).map(one => one.zone)
    expect(rest).toContain('17.10.in-addr.arpa')
    expect(rest).not.toContain('example.com')
    const { zones: last } = await dns.update(server, key, keep)
    expect(last.filter(zone => zone.added || zone.removed || zone.changedSoa || zone.error)).toEqual([])
  })

  it('carry a zone of several messages, both ways', async () => {
    const town = await openTown(undefined, { clock: databaseClock })
    await town.settle('lab', 'ns1')
    await town.run(`insert into contractor.zone_entry (zone, name, type, data, created_at, updated_at)
      select 'example.com', 'n' || n, 'TXT', jsonb_build_object('text', repeat('x', 900)), now(), now()
      from generate_series(1, 400) n`)
    await town.contractor.zones.entries.create({ zone: 'example.com', name: 'ns1', type: 'A', address: '192.0.2.1' })
    const named = await openStale(town, 'hmac-sha512')
    const long = parseKeyFile(keyText('contractor', secret, 'hmac-sha512'), 'contractor.key')
    const update = async () => (await town.contractor.dns.update(`127.0.0.1:${named.port}`, long)).zones[0]
    expect(await update()).toMatchObject({ added: 402 })
    expect(await update()).toEqual({ zone: 'example.com', added: 0, removed: 0, changedSoa: false })
  })

  it('work with the key and the configuration that docs/dns.md shows', async () => {
    const town = await openTown(undefined, { clock: databaseClock })
    await town.contractor.zones.update('example.com', { nameservers: ['ns.example.net'] })
    const page = await readFile(join(import.meta.dirname, '../../../docs/dns.md'), 'utf8')
    const conf = [...page.matchAll(/```conf\n([\s\S]*?)```/g)]
      .map(found => found[1] ?? '')
      .find(one => one.includes('allow-update'))
    const made = await promisify(execFile)('tsig-keygen', ['-a', 'hmac-sha256', 'contractor'])
    const named = await serve(async folder => {
      await writeFile(join(folder, 'contractor.key'), made.stdout)
      await writeFile(
        join(folder, 'example.com.db'),
        '$TTL 300\n@ IN SOA ns.example.net. a.old.test. 7 60 30 600 60\n@ IN NS ns.example.net.\n',
      )
      return (conf ?? '').replace('/etc/contractor', folder).replace('/var/lib/bind', folder)
    })
    await town.contractor.zones.entries.create({ zone: 'example.com', name: 'www', type: 'A', address: '192.0.2.1' })
    const { zones } = await town.contractor.dns.update(`127.0.0.1:${named.port}`, parseKeyFile(made.stdout, 'made'))
    expect(zones).toEqual([{ zone: 'example.com', added: 2, removed: 1, changedSoa: true }])
    expect(await named.dig('www.example.com', 'A')).toEqual(['A 192.0.2.1'])
  })

  it('that a name server refuses say why, and change nothing', async () => {
    const town = await openTown(undefined, { clock: databaseClock })
    await town.contractor.zones.create({ name: 'gone.test', ...hostmaster, nameservers: ['ns1.example.com'] })
    await town.contractor.zones.create({ name: 'fixed.test', ...hostmaster, nameservers: ['ns1.example.com'] })
    await town.contractor.zones.entries.create({ zone: 'example.com', name: 'ns1', type: 'A', address: '192.0.2.1' })
    const named = await openStale(town, 'hmac-sha256', ['gone.test', 'fixed.test'])
    const update = async (text: string) => {
      const { zones } = await town.contractor.dns.update(`127.0.0.1:${named.port}`, parseKeyFile(text, 'k'))
      return new Map(zones.map(zone => [zone.zone, zone.error]))
    }
    const other = Buffer.from('another secret of 32 bytes, maybe').toString('base64')
    expect((await update(keyText('contractor', other))).get('example.com')).toMatch(
      /does not accept the signature \(BADSIG\)/,
    )
    expect((await update(keyText('stranger', secret))).get('example.com')).toMatch(/does not know the key \(BADKEY\)/)
    expect(await named.dig('old.example.com', 'A')).toEqual(['A 192.0.2.99'])
    const errors = await update(keyText('contractor', secret))
    expect(errors.get('gone.test')).toBe(
      'the name server does not have the zone gone.test (NOTAUTH): add it to its configuration',
    )
    expect(errors.get('fixed.test')).toContain('refuses the update (REFUSED): allow it to this key, with allow-update')
    expect(errors.get('example.com')).toBeUndefined()
    await expect(town.contractor.dns.update(`127.0.0.1:${await freePort()}`, key)).rejects.toMatchObject({
      code: 'SERVER_UNREACHABLE',
      message: expect.stringContaining('cannot be reached'),
    })
  })
})

function reversed(ip: string): string {
  if (!ip.includes(':')) return `${ip.split('.').reverse().join('.')}.in-addr.arpa`
  const [left = '', right = ''] = ip.split('::')
  const groups = (text: string) => (text ? text.split(':') : [])
  const middle = Array(8 - groups(left).length - groups(right).length).fill('0')
  const digits = [...groups(left), ...middle, ...groups(right)].map(group => group.padStart(4, '0')).join('')
  return `${[...digits].reverse().join('.')}.ip6.arpa`
}
