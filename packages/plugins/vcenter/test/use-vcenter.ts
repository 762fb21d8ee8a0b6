import { createHandlerContext } from '@contractor/plugin/testing'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { handlers } from '../src/handlers/index.ts'
import type { FakeVcenter, FakeVm } from './fake-objects.ts'
import { startVcenter } from './fake-vcenter.ts'

export const eth0 = { name: 'eth0', physical_location: 'eth0', mac: null, network: 'lan' }
export const vm_spec = { cpu_count: 2, memory_size: 2048, disk_size: 20 }

/** A vCenter for the tests of one `describe`, empty for each of them, and what asks it. */
export function useVcenter() {
  const vc = {} as FakeVcenter
  beforeAll(async () => {
    await startVcenter(vc)
  })
  afterAll(() => vc.stop())
  beforeEach(() => {
    for (const id of vc.vms.keys()) vc.objects.delete(id)
    for (const all of [vc.vms, vc.quirks, vc.sessions, vc.leases]) all.clear()
    vc.told.length = vc.faults.length = vc.fails.length = vc.processes.length = vc.logins = 0
    Object.assign(vc, { exits: {}, isHost: false })
  })
  const login = () => ({
    ...{ host: '127.0.0.1', port: vc.port, fingerprint: vc.fingerprint, username: vc.username, password: vc.password },
    ...{ datacenter: 'dc1', cluster: 'cluster1' },
  })
  const run = <Result = unknown>(task: string, more: object = {}, context = {}) =>
    handlers.run(
      task,
      { ...login(), name: 'web', uuid: null, ...more },
      createHandlerContext(context),
    ) as Promise<Result>
  const create = ({ spec = {}, ...more }: { spec?: object; [name: string]: unknown } = {}, context = {}) =>
    run<{ uuid: string; macs: string[] }>(
      'create',
      {
        ...{ callId: 'call-1', vmHost: 'host-1.lab', datastore: 'local1', interfaces: [eth0] },
        ...{ spec: { ...vm_spec, ...spec }, ...more },
      },
      context,
    )
  const vm = (name = 'web'): FakeVm => {
    const found = [...vc.vms.values()].find(one => one.name === name)
    if (!found) throw new Error(`There is no machine '${name}'`)
    return found
  }
  return { vc, login, run, create, vm, methodsTold: () => vc.told.map(({ method }) => method) }
}
