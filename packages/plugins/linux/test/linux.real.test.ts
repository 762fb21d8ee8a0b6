import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Structure } from '@contractor/core'
import { createHandlerContext } from '@contractor/plugin/testing'
import { handlers as sshHandlers } from '@contractor/plugin-ssh/handlers'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { whyNoDocker } from '../../../../test/dockerd.ts'
import type { Rig } from '../../../../test/rig.ts'
import { quirks } from '../src/quirks.ts'
import { whyNoDebian } from './debian-image.ts'
import { gateway, makeCertificates, openTown, type Town, type Values } from './town.ts'

const required = process.env.CONTRACTOR_REQUIRE_REAL === '1'
const why = whyNoDocker() ?? whyNoDebian()

describe.skipIf(why !== undefined && !required)(`Debian (${why ?? 'in containers'})`, { timeout: 240_000 }, () => {
  let town: Town
  beforeAll(async () => {
    town = await openTown()
  }, 600_000)
  afterAll(() => town?.stop(), 60_000)

  const get = async (one: Structure, path = '/') => {
    const { service_address, service_port } = await one.config()
    const answer = await fetch(`http://${service_address}:${service_port}${path}`)
    return { status: answer.status, text: await answer.text() }
  }
  const refresh = (rig: Rig, one: Structure) => rig.finish(one.doJob('refresh'))
  const change = (one: Structure, configValues: Values) => one.update({ configValues: configValues as never })
  /** Why a refresh with these values stands still; it is let go then, and what was changed is taken back. */
  const refusal = async (rig: Rig, one: Structure, configValues: Values, back: Values) => {
    await change(one, configValues)
    const job = await one.doJob('refresh')
    const reason = await rig.standing(Promise.resolve(job))
    await rig.contractor.jobs.cancel(job.id)
    await change(one, back)
    return reason
  }

  describe.concurrent('Structures', () => {
    it('web servers behind a load balancer: one is built and taken in, one destroyed and taken out', async test => {
      const rig = await town.open(test)
      const [web1, web2] = await Promise.all(['web1', 'web2'].map(name => town.build(rig, name, 'web-server')))
      if (!web1 || !web2) throw new Error('not two')
      const balancer = await town.build(rig, 'lb1', 'load-balancer')
      const behind = async () => {
        const answers = await Promise.all(Array.from({ length: 12 }, () => get(balancer)))
        return [...new Set(answers.map(one => /This is (\w+)/.exec(one.text)?.[1] ?? one.status))].sort()
      }
      await vi.waitFor(async () => expect(await behind()).toEqual(['web1', 'web2']), { timeout: 20_000 })

      const process = () => town.inside('lb1', 'cat /run/haproxy.pid; stat -c %Z /etc/haproxy/haproxy.cfg')
      const before = process()
      await refresh(rig, balancer)
      expect(process()).toBe(before)
      const bad = await refusal(rig, balancer, { balance: 'by-chance' }, { balance: null })
      expect(bad).toMatch(
        /haproxy -c.*refuses the new files: .*balance only supports.*What was there before is there again/s,
      )
      expect(process().split('\n')[0]).toBe(before.split('\n')[0])
      expect(await behind()).toEqual(['web1', 'web2'])

      await Promise.all([town.build(rig, 'web3', 'web-server'), rig.finish(web1.doDestroy())])
      await refresh(rig, balancer)
      await vi.waitFor(async () => expect(await behind()).toEqual(['web2', 'web3']), { timeout: 20_000 })

      await change(web2, { content_map: { 'index.html': 'This is another', 'css/site.css': 'p {}' } })
      await refresh(rig, web2)
      expect(await get(web2, '/css/site.css')).toEqual({ status: 200, text: 'p {}' })
      await change(web2, { content_map: { 'css/site.css': null }, check_text: 'another' })
      await refresh(rig, web2)
      expect((await get(web2, '/css/site.css')).status).toBe(404)
      await rig.finish(web2.doJob('restart'))
      await rig.finish(web2.doJob('check'))
      const seen = JSON.stringify([(await rig.contractor.jobs.list({})).items, rig.lines])
      expect(seen).not.toContain(town.ssh.private_key.split('\n')[1])
    })

    it('a name server: its zones are checked, and their serials rise with each change', async test => {
      const rig = await town.open(test)
      const zone = (text: string) => ({ content_map: { 'town.example': `{{ dns_soa }}${text}` } })
      const [dns1] = await Promise.all([town.build(rig, 'dns1', 'dns-server', zone('www IN A 192.0.2.7\n'))])
      const { service_port } = await dns1.config()
      const dig = (name: string, type = 'A') =>
        execFileSync('dig', [`@${gateway}`, '-p', `${service_port}`, '+short', `${name}town.example`, type], {
          encoding: 'utf8',
        }).trim()
      const serial = () => Number(dig('', 'SOA').split(' ')[2])
      expect(dig('www.')).toBe('192.0.2.7')
      expect(dig('ns.')).toBe(gateway)
      const first = serial()
      await refresh(rig, dns1)
      expect(serial()).toBe(first)
      const bad = await refusal(rig, dns1, zone('www IN A nonsense\n'), zone('mail IN A 192.0.2.8\n'))
      expect(bad).toMatch(/named-checkconf -z.*refuses the new files: .*nonsense/s)
      expect([dig('www.'), serial()]).toEqual(['192.0.2.7', first])
      await refresh(rig, dns1)
      expect([dig('www.'), dig('mail.')]).toEqual(['', '192.0.2.8'])
      expect(serial()).toBeGreaterThan(first)
      await change(dns1, {
        content_map: { 'town.example': null, 'other.example': '{{ dns_soa }}' },
        check_name: 'other.example',
      })
      await refresh(rig, dns1)
      expect(town.inside('dns1', 'ls /etc/bind/zones').trim()).toBe('other.example')
    })

    it('an API: its source is checked, and where it does not run, the one of before does', async test => {
      const rig = await town.open(test)
      await rig.contractor.secrets.put({ name: 'token', value: 'geheim-7' })
      const environment = { api_environment: { TOKEN: { $secret: 'token' }, GREETING: 'hello there' } }
      const api = await town.build(rig, 'api1', 'api-endpoint', environment)
      expect(JSON.parse((await get(api, '/x')).text)).toEqual({ path: '/x', host: 'api1' })
      expect(town.inside('api1', 'cat /etc/default/api; stat -c %a /etc/default/api')).toMatch(/geheim-7.*600/s)
      const source = (text: string) => ({ content_map: { 'server.js': text } })
      const own = { content_map: null }
      expect(await refusal(rig, api, source('const a ='), own)).toMatch(/node --check.*SyntaxError/s)
      expect(await refusal(rig, api, source("throw new Error('no way')"), own)).toMatch(
        /'api' does not run after its restart: .*no way.*What was there before is there again, and 'api' runs with it/s,
      )
      expect((await get(api, '/health')).status).toBe(200)
      await change(
        api,
        source("require('http').createServer((q, a) => a.end(process.env.GREETING)).listen(process.env.PORT)"),
      )
      await refresh(rig, api)
      expect((await get(api)).text).toBe('hello there')
      await rig.finish(api.doDestroy())
      await expect(get(api)).rejects.toThrow()
      const seen = JSON.stringify([(await rig.contractor.jobs.list({})).items, rig.lines])
      expect(seen).not.toContain('geheim-7')
    })

    it('a Docker host: the member of a Complex on which a container is built, by TLS', async test => {
      const rig = await town.open(test)
      const { contractor } = rig
      // Of the rights that a daemon in a container needs; it is no Foundation of Docker’s therefore.
      const rights = ['--cap-add=SYS_ADMIN', '--cap-add=NET_ADMIN', '--security-opt=seccomp=unconfined']
      const more = ['--security-opt=apparmor=unconfined', '--security-opt=systempaths=unconfined']
      const mounts = ['-v', '/sys/fs/cgroup:/sys/fs/cgroup', '-v', '/var/lib/docker']
      const address = town.start('host1', '10.89.0.200', ...rights, ...more, ...mounts)
      const { ca, server, client } = makeCertificates(town.folder, address)
      await contractor.secrets.put({ name: 'docker-key', value: server.key })
      await contractor.foundations.create({
        ...{ locator: 'host1', type: 'Manual', site: 'lab', blueprint: 'manual-foundation-base' },
      })
      await contractor.foundations.setBuilt('host1')
      const quiet = { iptables: false, ip6tables: false, 'ip-forward': false, 'ip-masq': false, bip: '10.90.0.1/24' }
      const host = await contractor.structures.create({
        ...{ hostname: 'host1', site: 'lab', blueprint: 'docker-host', foundation: 'host1' },
        configValues: {
          ...{ ssh_host: address, docker_tls_ca: ca, docker_tls_cert: server.cert },
          docker_tls_key: { $secret: 'docker-key' },
          docker_options: { ...quiet, 'exec-opts': ['native.cgroupdriver=cgroupfs'] },
        },
      })
      await rig.finish(host.doCreate())
      await contractor.complexes.create({
        ...{ name: 'inner', site: 'lab', type: 'Docker', members: [host.id] },
        fields: {
          ...{ docker_host: `tcp://${address}:2376`, docker_ca: ca, docker_cert: client.cert, docker_key: client.key },
        },
      })
      const box = join(town.folder, 'box.tar')
      town.daemon.run('save', '-o', box, town.daemon.image)
      town.daemon.run('cp', box, 'host1:/box.tar')
      town.inside('host1', 'docker load -i /box.tar')
      await contractor.foundations.create({
        ...{ locator: 'box1', type: 'Docker', site: 'lab', blueprint: 'docker-container-base', complex: 'inner' },
      })
      const box1 = await contractor.structures.create({
        ...{ hostname: 'box1', site: 'lab', blueprint: 'docker-service', foundation: 'box1' },
        configValues: { docker_image: town.daemon.image, docker_command: ['sleep', '600'], docker_network: 'bridge' },
      })
      await rig.finish(contractor.foundations.doCreate('box1'))
      await rig.finish(box1.doCreate())
      expect(town.inside('host1', 'docker ps --format "{{.Names}} {{.State}}"').trim()).toBe('box1 running')
      await rig.finish(box1.doDestroy())
      await rig.finish(contractor.foundations.doDestroy('box1'))
      await rig.finish(host.doDestroy())
      expect(town.inside('host1', 'ls /etc/docker; docker version 2>&1 || true')).toMatch(/Cannot connect/)
    })

    it('a VirtualBox host: seen to have what it needs, and not destroyed while it has machines', async test => {
      const rig = await town.open(test)
      const wrapper = join(town.folder, 'VBoxManage')
      writeFileSync(
        wrapper,
        '#!/bin/sh\nmkdir -p /var/lib/vbox\nFAKE_VBOX=/var/lib/vbox exec node /usr/lib/vbox.mjs "$@"\n',
        { mode: 0o755 },
      )
      const vbox = await town.build(rig, 'vbox1', 'virtualbox-host', { package_list: [] }, () => {
        town.daemon.run('cp', wrapper, 'vbox1:/usr/bin/VBoxManage')
        const fake = join(import.meta.dirname, '../../virtualbox/test/fake-vboxmanage.mjs')
        town.daemon.run('cp', fake, 'vbox1:/usr/lib/vbox.mjs')
      })
      expect(town.inside('vbox1', 'cat /etc/vbox/networks.conf')).toBe('* 192.168.56.0/21\n')
      town.inside('vbox1', 'VBoxManage createvm --name web01 --register')
      await rig.finish(vbox.doJob('list'))
      const job = await vbox.doDestroy()
      expect(await rig.standing(Promise.resolve(job))).toContain('It has virtual machines still: "web01"')
      await rig.contractor.jobs.cancel(job.id)
      town.inside('vbox1', 'VBoxManage unregistervm web01 --delete')
      await rig.finish(vbox.doDestroy())
    })

    it('a CoreOS server: its Ignition config is a valid one, and tells when the machine is up', async test => {
      const rig = await town.open(test)
      const { contractor } = rig
      town.start('judge', '10.89.0.201')
      await contractor.foundations.create({
        ...{ locator: 'core1', type: 'Manual', site: 'lab', blueprint: 'manual-foundation-base' },
      })
      await contractor.interfaces.create({ kind: 'real', foundation: 'core1', name: 'eth0', provisioning: true })
      await contractor.foundations.setBuilt('core1')
      const core = await contractor.structures.create({
        ...{ hostname: 'core1', site: 'lab', blueprint: 'coreos-server', foundation: 'core1' },
        configValues: {
          machine_start: 'none',
          coreos_ssh_keys: ['ssh-ed25519 AAAA me'],
          coreos_file_list: [{ path: '/etc/motd', content: 'Größe: 100 %\n"x" & <y>\n', mode: '0600' }],
          coreos_unit_map: {
            'web.service': '[Service]\nExecStart=/usr/bin/true\n[Install]\nWantedBy=multi-user.target\n',
          },
        },
      })
      const { configUuid } = await core.refresh()
      const job = await core.doCreate()
      await vi.waitFor(async () => expect((await job.refresh()).message).toMatch(/Waiting/), { timeout: 10_000 })
      expect(await contractor.hosts.bootScript({ configUuid })).toContain(`ignition.config.url=`)
      const text = await contractor.hosts.pxeTemplate({ configUuid })
      const validate = (written: string) => {
        writeFileSync(join(town.folder, 'config.ign'), written)
        town.daemon.run('cp', join(town.folder, 'config.ign'), 'judge:/config.ign')
        return town.inside('judge', 'ignition-validate /config.ign 2>&1; echo ended with $?')
      }
      expect(validate(text)).toBe('ended with 0\n')
      expect(validate(text.replace('/etc/motd', 'etc/motd'))).toMatch(/path not absolute.*ended with 1/s)
      const config = JSON.parse(text)
      expect(config.storage.files[0].contents.source).toBe('data:,core1')
      expect(config.storage.files[1].mode).toBe(0o600)
      expect(decodeURIComponent(config.storage.files[1].contents.source)).toBe('data:,Größe: 100 %\n"x" & <y>\n')
      const done = config.systemd.units.at(-1).contents as string
      const [, id, cookie = ''] = /signal\/(\d+)\/([^/]+)\/complete/.exec(done) ?? []
      await contractor.signals.complete(Number(id), cookie, { text: 'up' })
      await rig.finish(Promise.resolve(job))
      await rig.finish(core.doDestroy())
    })
  })

  describe('the module', () => {
    const bench = '10.89.0.210'

    const run = (task: string, params: Values, signal?: AbortSignal) => town.run(bench, task, params, signal)
    const command = (text: string, more: Values = {}) => run('run', { command: text, user: 'root', ...more })
    const inside = (text: string) => town.inside('bench', text).trim()
    const configure = (files: Values[], more: Values = {}) =>
      run('configure', {
        ...{ name: 'try', service: null, check: null, reload: false, log: null, files },
        ...more,
      })
    const unconfigure = () => run('unconfigure', { name: 'try', isNew: true })
    /** A service by an init script, which does that when it is started, and says that it runs as long as that is so. */
    const demo = (start: string, status: string) => ({
      ...{ path: '/etc/init.d/demo', mode: '0755' },
      content: `#!/bin/sh\ncase "$1" in\nstart|restart)\n${start}\n;;\nstop) rm -f /run/demo ;;\nstatus) ${status} ;;\nesac\n`,
    })
    const up = 'test -f /run/demo'

    beforeAll(async () => {
      town.start('bench', bench, '--tmpfs', '/full:size=64k')
      await vi.waitFor(() => run('look', {}), { timeout: 20_000 })
      inside('useradd -m -s /bin/bash me && cp -r /root/.ssh /home/me/ && chown -R me: /home/me')
      // A source of packages with one package.
      inside(`mkdir -p /repo /made/DEBIAN
printf 'Package: try-me\\nVersion: 1\\nArchitecture: all\\nMaintainer: a <a@b>\\nDescription: x\\n' >/made/DEBIAN/control
dpkg-deb -b /made /repo/try-me.deb >/dev/null
{ dpkg-deb -f /repo/try-me.deb; echo 'Filename: ./try-me.deb'; stat -c 'Size: %s' /repo/try-me.deb; echo "SHA256: $(sha256sum /repo/try-me.deb | cut -d ' ' -f 1)"; } >/repo/Packages
echo 'deb [trusted=yes] file:/repo ./' >/etc/apt/sources.list`)
    }, 60_000)
    const letBecomeRoot = () => inside('echo "me ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/me')

    it('says what is wrong with credentials, a port, a host key, a system, and a command that takes too long', async () => {
      await expect(command('true', { private_key: null, password: 'geheim-9' })).rejects.toMatchObject({
        ...{ code: 'DEVICE_UNAUTHENTICATED', message: expect.not.stringContaining('geheim-9') },
      })
      await expect(command('true', { port: 2 })).rejects.toMatchObject({ code: 'DEVICE_UNREACHABLE', retryable: true })
      await expect(command('true', { host_key: `SHA256:${'A'.repeat(43)}` })).rejects.toMatchObject({
        code: 'DEVICE_UNTRUSTED',
      })
      await expect(command('sleep 60', { timeoutMs: 300 })).rejects.toMatchObject({ code: 'DEVICE_TIMED_OUT' })
      await expect(command('ls /nowhere')).rejects.toMatchObject({
        ...{
          code: 'DEVICE_REFUSED',
          message: expect.stringMatching(/10\.89\.0\.210:22: 'ls \/nowhere': .*No such file/),
        },
      })
      expect(await run('probe', { command: 'ls /nowhere', user: 'root' })).toMatchObject({ good: false })
      inside('sed -i.old s/^ID=.*/ID=other/ /etc/os-release')
      await expect(run('look', {})).rejects.toMatchObject({ code: 'DEVICE_UNSUPPORTED' })
      inside('mv /etc/os-release.old /etc/os-release')
    })

    it('ends at once when it is aborted', async () => {
      const abort = new AbortController()
      const ended = expect(
        run('run', { command: 'touch /run/begun; sleep 60', user: 'root' }, abort.signal),
      ).rejects.toThrow('claim lost')
      await vi.waitFor(() => inside('test -f /run/begun'), { timeout: 10_000 })
      abort.abort(new Error('claim lost'))
      await ended
    })

    it('becomes root by sudo, shows nothing among the processes, and runs commands as others', async () => {
      inside('rm -f /etc/sudoers.d/me')
      await expect(command('id -u', { username: 'me' })).rejects.toMatchObject({
        ...{ code: 'DEVICE_REFUSED', message: expect.stringContaining("its user 'me' may not become root (sudo: ") },
      })
      letBecomeRoot()
      expect(await command('id -u', { username: 'me' })).toEqual({ output: '0\n' })
      expect(await run('look', { username: 'me' })).toMatchObject({ user: 'me' })
      expect(await command('ps -eo args; : geheim-8', { username: 'me' })).toMatchObject({
        output: expect.not.stringContaining('geheim-8'),
      })
      expect(await command('id -un', { user: 'www-data' })).toEqual({ output: 'www-data\n' })
    })

    it('installs what is not there, and says what its sources lack', async () => {
      const install = (...package_list: string[]) => run('install', { package_list })
      inside('dpkg -P try-me 2>/dev/null || true')
      expect(await install('nginx-light', 'try-me')).toEqual({ installed: ['try-me'] })
      expect(await install('nginx-light', 'try-me')).toEqual({ installed: [] })
      await expect(install('no-such-thing', 'try-me')).rejects.toMatchObject({
        ...{ code: 'NOT_FOUND', data: { kind: 'package', id: 'no-such-thing' } },
      })
    })

    it('writes files, knows its own again, and puts back what was there before', async () => {
      inside('echo theirs >/etc/motd')
      const motd = { path: '/etc/motd', content: 'ours\n', mode: '0600' }
      const other = { path: '/srv/new/x', content: '1' }
      expect(await configure([motd, other])).toEqual({ changed: true, isNew: true })
      expect(await configure([motd, other])).toEqual({ changed: false, isNew: false })
      inside('chmod 644 /etc/motd; echo 2 >/srv/new/x')
      expect(await configure([motd, other])).toEqual({ changed: true, isNew: false })
      expect(inside('stat -c %a /etc/motd; cat /srv/new/x')).toBe('600\n1')
      expect(await configure([other])).toEqual({ changed: true, isNew: false })
      expect(inside('cat /etc/motd')).toBe('theirs')
      expect(await run('unconfigure', { name: 'try', isNew: false })).toEqual({ changed: false })
      expect(await unconfigure()).toEqual({ changed: true })
      expect(await unconfigure()).toEqual({ changed: false })
      expect(inside('ls /srv/new /var/lib/contractor')).not.toMatch(/x$|try/m)
    })

    it('puts back what was there before where a check fails, a disk is full, or a call was cut off', async () => {
      inside('echo theirs >/etc/motd')
      const motd = (content: string) => ({ path: '/etc/motd', content })
      await expect(configure([motd('bad')], { check: 'cat /etc/motd; false' })).rejects.toThrow(/refuses.*: bad\. What/)
      expect(inside('cat /etc/motd')).toBe('theirs')
      await expect(configure([motd('x'), { path: '/full/x', content: 'x'.repeat(90_000) }])).rejects.toMatchObject({
        code: 'DEVICE_FULL',
      })
      expect(inside('cat /etc/motd; ls /full')).toBe('theirs')
      await expect(configure([motd('half')], { check: "pkill -f 'sshd: root@notty'" })).rejects.toMatchObject({
        retryable: true,
      })
      expect(inside('cat /etc/motd; ls /var/lib/contractor/try')).toMatch(/^half.*attempt/s)
      expect(await configure([motd('whole')])).toEqual({ changed: true, isNew: true })
      expect(inside('cat /etc/motd; ls /var/lib/contractor/try')).not.toContain('attempt')
      await unconfigure()
      expect(inside('cat /etc/motd')).toBe('theirs')
      inside('mkdir -p /var/lib/contractor/try; echo rubbish >/var/lib/contractor/try/manifest')
      await expect(configure([motd('x')])).rejects.toThrow('Remove /var/lib/contractor/try, and set it up again')
      inside('rm -rf /var/lib/contractor/try')
    })

    it('starts, stops and restarts services, and one that has taken the place of another', async () => {
      const service = (state: string, name = 'demo') => run('service', { service: name, state, log: null })
      const files = [demo('touch /run/demo', up)]
      expect(await configure(files, { service: 'demo' })).toMatchObject({ changed: true })
      expect(await service('started')).toEqual({ changed: false })
      expect(await service('stopped')).toEqual({ changed: true })
      expect(await service('stopped')).toEqual({ changed: false })
      await expect(service('reloaded')).rejects.toThrow('it can be started, and not reloaded')
      expect(await configure(files, { service: 'demo' })).toEqual({ changed: true, isNew: false })
      expect(await service('restarted')).toEqual({ changed: true })
      await expect(service('started', 'no-such-service')).rejects.toThrow(/no-such-service.*unrecognized service/s)
      expect(await configure(files, { service: 'nginx' })).toEqual({ changed: true, isNew: false })
      expect(inside(`${up} || echo stopped`)).toBe('stopped')
      expect(inside('service nginx status')).toContain('running')
      await unconfigure()
      expect(inside('service nginx status || true')).toContain('not running')
    })

    it('speaks to systemd where that runs, by its own words', async () => {
      town.daemon.run('cp', join(import.meta.dirname, 'fake-systemctl.sh'), 'bench:/usr/local/bin/systemctl')
      inside(`mkdir -p /run/systemd/system; chmod 755 /usr/local/bin/systemctl
printf '#!/bin/sh\\necho the journal of $2\\n' >/usr/local/bin/journalctl; chmod 755 /usr/local/bin/journalctl`)
      expect(await run('look', {})).toMatchObject({ init: 'systemd' })
      const unit = (start: string) => [
        { path: '/etc/systemd/system/demo.service', content: `[Service]\nExecStart=${start}\n` },
      ]
      const demo = { service: 'demo', reload: true }
      expect(await configure(unit('true'), demo)).toEqual({ changed: true, isNew: true })
      expect(await configure(unit('true'), demo)).toEqual({ changed: false, isNew: false })
      await expect(configure(unit('false'), demo)).rejects.toThrow(
        /after its reload: Job for demo\.service failed.*the journal of demo\. What was.*'demo' runs with it/s,
      )
      expect(inside('systemctl is-active demo; cat /run/units/demo.known')).toContain('ExecStart=true')
      expect(await unconfigure()).toEqual({ changed: true })
      expect(inside('systemctl is-active demo || echo stopped; tail -n 2 /run/units/log')).toBe(
        'stopped\ndaemon-reload\nis-active demo',
      )
      await expect(run('service', { service: 'demo', state: 'started', log: null })).rejects.toThrow(
        'Unit demo.service not found',
      )
      inside('rm -r /run/systemd /usr/local/bin/systemctl /usr/local/bin/journalctl')
    })

    const laws: Record<(typeof quirks)[number]['name'], () => Promise<void>> = {
      async 'path-without-sbin'() {
        letBecomeRoot()
        const login = { host: bench, port: 22, ...town.ssh, username: 'me', timeoutMs: 10_000 }
        const asked = { ...login, command: 'command -v nginx', environment: {}, input: null }
        expect(await sshHandlers.run('execute', asked, createHandlerContext())).toMatchObject({ rc: 1 })
        expect(await command('command -v nginx', { username: 'me' })).toEqual({ output: '/usr/sbin/nginx\n' })
      },
      async 'no-systemd'() {
        expect(await run('look', {})).toEqual({ system: 'debian', version: '12', init: 'sysvinit', user: 'root' })
        await run('service', { service: 'nginx', state: 'started', log: null })
        expect(inside('service nginx status')).toContain('running')
      },
      async 'update-fails-with-0'() {
        inside('echo "deb http://127.0.0.1:9/ x main" >/etc/apt/sources.list.d/away.list')
        expect(inside('apt-get update -o Acquire::Retries=0 >/dev/null 2>&1; echo $?')).toBe('0')
        await expect(run('install', { package_list: ['no-such-thing'] })).rejects.toThrow(
          /no package 'no-such-thing'.*apt-get update: .*Failed to fetch/s,
        )
        inside('rm /etc/apt/sources.list.d/away.list')
      },
      async 'interrupted-dpkg'() {
        inside('apt-get update -q; dpkg -P try-me 2>/dev/null; touch /var/lib/dpkg/updates/0000')
        expect(inside('apt-get install -y try-me 2>&1 || true')).toContain('dpkg was interrupted')
        expect(await run('install', { package_list: ['try-me'] })).toEqual({ installed: ['try-me'] })
      },
      async 'starts-and-ends'() {
        await configure([demo('touch /run/demo', up)], { service: 'demo' })
        const ending = demo('echo no such database; rm -f /run/demo', up)
        await expect(configure([ending], { service: 'demo' })).rejects.toThrow(
          /'demo' does not run after its restart: no such database\. What was there before is there again, and 'demo' runs/,
        )
        expect(inside(`${up} && echo runs`)).toBe('runs')
        await unconfigure()
      },
      async 'reload-keeps-silent'() {
        const zone = (address: string) => [
          {
            path: '/etc/bind/named.conf.local',
            content: 'zone "town.example" { type primary; file "/etc/bind/town"; };\n',
          },
          {
            path: '/etc/bind/town',
            content: `$TTL 60\n@ SOA ns me @SERIAL@ 60 60 6000 60\n@ NS ns\nns A 10.0.0.1\nwww A ${address}\n`,
            serial: '@SERIAL@',
          },
        ]
        const dig = () => execFileSync('dig', [`@${bench}`, '+short', 'www.town.example'], { encoding: 'utf8' }).trim()
        const named = { service: 'named', reload: true }
        await configure(zone('192.0.2.1'), named)
        await vi.waitFor(() => expect(dig()).toBe('192.0.2.1'), { timeout: 10_000 })
        await expect(configure(zone('nonsense'), { ...named, check: 'named-checkconf -z' })).rejects.toThrow(
          /\/etc\/bind\/town:5: .*nonsense.*bad dotted quad/s,
        )
        expect(inside('cat /etc/bind/town')).toContain('192.0.2.1')
        expect(await configure(zone('nonsense'), named)).toMatchObject({ changed: true })
        expect(dig()).toBe('192.0.2.1')
        await run('service', { service: 'named', state: 'restarted', log: null })
        expect(dig()).toBe('')
        await unconfigure()
      },
      async 'file-is-a-link'() {
        const shown = 'readlink /etc/nginx/sites-enabled/default; sha256sum /etc/nginx/sites-available/default'
        const before = inside(shown)
        expect(before).toMatch(/^\/etc\/nginx\/sites-available/)
        await configure([{ path: '/etc/nginx/sites-enabled/default', content: '# ours\n' }])
        expect(inside(shown)).toBe(before.split('\n')[1])
        await unconfigure()
        expect(inside(shown)).toBe(before)
      },
      async 'service-holds-the-channel'() {
        const begun = performance.now()
        await configure([demo('touch /run/demo; sleep 47 &', up)], { service: 'demo' })
        expect(performance.now() - begun).toBeLessThan(20_000)
        expect(inside("pgrep -c -f '[s]leep 47'")).toBe('1')
        await unconfigure()
      },
    }

    describe('what Debian does that surprises', () => {
      it.each(quirks)('$name: $does', ({ name }) => laws[name]())
    })
  })
})
