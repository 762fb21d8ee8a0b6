import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../../../../test/embedded-postgres.ts'
import { type FakeRequest, startFakeServer } from '../../../../test/fake-device.ts'
import { elementOf } from '../src/handlers/xml.ts'
import { useVcenter } from './use-vcenter.ts'

describe('a vCenter with appliances, and where exports go', () => {
  const { vc, run, create, vm, methodsTold } = useVcenter()
  const asked: FakeRequest[] = []
  const kept = new Map<string, string>()
  let files: { port: number; stop(): Promise<void> }
  const ovf = (more = '') => `<Envelope><NetworkSection><Network ovf:name="eth0"/>${more}</NetworkSection></Envelope>`
  const archive = (name: string, content: string) => {
    const header = [name.padEnd(100, '\0'), '\0'.repeat(24), content.length.toString(8).padStart(11, '0'), '\0'].join(
      '',
    )
    return header.padEnd(512, '\0') + content.padEnd(Math.ceil(content.length / 512) * 512, '\0')
  }
  const contents: Record<string, string> = {
    '/app.ova': archive('app.ovf', ovf()) + archive('app-disk1.vmdk', 'x'.repeat(100)),
    '/plain/app.ovf': ovf(),
    '/two.ova': archive('app.ovf', ovf('<Network ovf:name="other"/>')),
    '/many.ova': archive('app.ovf', `${ovf()}<VirtualSystemCollection/>`),
    '/bad.ova': archive('app.ovf', 'nonsense'),
    '/none.ova': 'x'.repeat(2000),
    '/cut.ova': archive('app.ovf', ovf()).slice(0, 600),
  }
  beforeAll(async () => {
    files = await startFakeServer({
      tls: false,
      answer(request) {
        asked.push(request)
        if (request.method === 'PUT') {
          if (request.path.startsWith('/full/')) return { status: 507 }
          kept.set(request.path, request.text)
          return { status: 201 }
        }
        const body = contents[request.path]
        return body === undefined ? { status: 404, body: 'none' } : { status: 200, body }
      },
    })
  })
  afterAll(() => files.stop())
  const url = (path: string) => `http://127.0.0.1:${files.port}${path}`

  it('deploys it: the hosts fetch the disks out of the archive by themselves', async () => {
    const lines: string[] = []
    const spec = { ova: url('/app.ova'), property_map: { role: 'web' }, deployment_option: 'small', cpu_count: 1 }
    const made = await create({ spec }, { log: (line: string) => void lines.push(line) })
    expect(made).toMatchObject({ uuid: vm().uuid, macs: [expect.stringMatching(/^00:50:56/)] })
    // As its description says, and not as the config does.
    expect(vm()).toMatchObject({
      config: { numCPUs: '2', memoryMB: '8192' },
      extra: { own: '1', 'contractor.whole': 'true' },
    })
    const pulled = vc.told.find(({ method }) => method === 'HttpNfcLeasePullFromUrls_Task')
    expect(pulled?.xml.files).toMatchObject({
      url: url('/app.ova'),
      memberName: 'app-disk1.vmdk',
      create: 'false',
      size: '4000',
    })
    expect([...vc.leases.values()]).toEqual(['complete'])
    expect(lines).toEqual([expect.stringContaining('No manifest file found.')])
    expect(await create({ spec })).toEqual(made)
    expect(methodsTold().filter(method => method === 'ImportVApp')).toHaveLength(1)
  })

  it('deploys one whose disks are beside its description', async () => {
    await create({ spec: { ova: url('/plain/app.ovf') } })
    const pulled = vc.told.find(({ method }) => method === 'HttpNfcLeasePullFromUrls_Task')
    expect(elementOf(pulled?.xml.files)).toMatchObject({ url: url('/plain/app-disk1.vmdk') })
    expect(elementOf(pulled?.xml.files)).not.toHaveProperty('memberName')
  })

  it.each([
    ['/gone.ova', 'DEVICE_REFUSED', 'its server answers 404'],
    ['/none.ova', 'DEVICE_REFUSED', 'no archive with a description in front'],
    ['/cut.ova', 'DEVICE_REFUSED', 'was cut short'],
    ['/bad.ova', 'DEVICE_REFUSED', 'The OVF descriptor is not valid.'],
    ['/many.ova', 'DEVICE_UNSUPPORTED', 'is of several machines'],
    ['/two.ova', 'DEVICE_REFUSED', "network 'other' is for no interface"],
  ])('says what is wrong with %s, and leaves nothing behind', async (path, code, words) => {
    await expect(create({ spec: { ova: url(path) } })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words),
    })
    expect(vc.vms.size).toBe(0)
  })

  it('reads none from a server that nobody vouches for', async () => {
    const ova = `https://127.0.0.1:${vc.port}/app.ova`
    await expect(create({ spec: { ova } })).rejects.toMatchObject({
      ...{ code: 'DEVICE_UNREACHABLE', message: expect.stringContaining('self-signed certificate') },
    })
    expect(methodsTold()).toEqual([])
  })

  it('gives the lease back where the hosts cannot fetch the disks', async () => {
    vc.fails.push(['HttpFault', 'Connection refused'])
    await expect(create({ spec: { ova: url('/app.ova') } })).rejects.toThrow('HttpFault: Connection refused')
    expect([...vc.leases.values()]).toEqual(['aborted'])
    expect(vc.vms.size).toBe(0)
  })

  it.each([[false], [true]])('exports a machine by HTTP PUT (of a single host: %s)', async isHost => {
    vc.isHost = isHost
    await create()
    expect(await run('export', { url: url('/images') })).toEqual({ location: url('/images/web.ovf') })
    expect(kept.get('/images/web-disk1.vmdk')).toHaveLength(4000)
    expect(kept.get('/images/web.ovf')).toBe('<Envelope>web-disk1.vmdk 4000</Envelope>')
    expect([...vc.leases.values()]).toEqual(['complete'])
  })

  it('sends nothing to a host of disks that has another certificate than the vCenter says', async () => {
    await create()
    const { thumbprint } = vc
    onTestFinished(() => void Object.assign(vc, { thumbprint }))
    vc.thumbprint = Array(20).fill('00').join(':')
    await expect(run('export', { url: url('/images') })).rejects.toMatchObject({ code: 'DEVICE_UNTRUSTED' })
    expect([...vc.leases.values()]).toEqual(['aborted'])
  })

  it('says that what it writes to is full, or is not there, and gives the lease back', async () => {
    await create()
    await expect(run('export', { url: url('/full/') })).rejects.toThrow('it answers 507 to PUT')
    await expect(run('export', { url: `http://127.0.0.1:${await freePort()}/` })).rejects.toMatchObject({
      code: 'DEVICE_UNREACHABLE',
    })
    expect([...vc.leases.values()]).toEqual(['aborted', 'aborted'])
  })
})
