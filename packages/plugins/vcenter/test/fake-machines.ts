import { at, type Element, elementOf, listOf, textOf, type Xml, type XmlObject } from '../src/handlers/xml.ts'
import { type Begin, type Device, type FakeVcenter, type FakeVm, Fault, ref } from './fake-objects.ts'

export function removeVm(fake: FakeVcenter, id: string): undefined {
  fake.vms.delete(id)
  fake.objects.delete(id)
}

export function refuseTaken(fake: FakeVcenter, name: string): void {
  const taken = [...fake.vms].find(([, one]) => one.name === name)
  if (taken)
    throw new Fault('DuplicateName', `The name '${name}' already exists.`, {
      name,
      object: ref('VirtualMachine', taken[0]),
    })
}

export function createVm(fake: FakeVcenter, begin: Begin, config: Element): XmlObject {
  const name = textOf(config.name)
  refuseTaken(fake, name)
  if (!/^\[(local1|shared1)\]/.test(textOf(at(config, 'files', 'vmPathName'))))
    throw new Fault('InvalidDatastorePath', 'Invalid datastore path')
  const id = `vm-${fake.objects.size}`
  const made = fake.addVm(id, { name, isBorn: false })
  return begin(() => {
    Object.assign(made, { isBorn: true })
    reconfigure(made, config)
    return ref('VirtualMachine', id)
  }, 'Folder.createVm')
}

export function cloneVm(fake: FakeVcenter, begin: Begin, source: FakeVm, xml: Element): XmlObject {
  const name = textOf(xml.name)
  refuseTaken(fake, name)
  const made = fake.addVm(`vm-${fake.objects.size}`, {
    ...{ name, isBorn: false, extra: { ...source.extra }, devices: source.devices.map(one => ({ ...one })) },
  })
  return begin(() => {
    const customization = at(xml.spec, 'customization')
    if (customization !== undefined) made.customization = elementOf(customization)
    Object.assign(made, { isBorn: true })
    reconfigure(made, elementOf(at(xml.spec, 'config')))
    return undefined
  }, 'VirtualMachine.clone')
}

const firstKeys: Readonly<Record<string, number>> = { ParaVirtualSCSIController: 1000, VirtualDisk: 2000 }

export function reconfigure(vm: FakeVm, config: Element): void {
  Object.assign(vm, { config: { ...vm.config, ...config } })
  for (const one of listOf(config.extraConfig)) vm.extra[textOf(at(one, 'key'))] = textOf(at(one, 'value'))
  for (const change of listOf(config.deviceChange)) {
    const device = elementOf(at(change, 'device')) as Device
    const type = String(device['@_xsi:type'])
    const at0 = vm.devices.findIndex(one => String(one.key) === String(device.key))
    const operation = textOf(at(change, 'operation'))
    if (operation === 'add') {
      const first = firstKeys[type] ?? 4000
      const key = first + vm.devices.filter(one => Number(one.key) >= first && Number(one.key) < first + 1000).length
      const mac = /E1000|Vmxnet/.test(type)
        ? { macAddress: device.macAddress ?? `00:50:56:00:00:${String(key % 100).padStart(2, '0')}` }
        : {}
      vm.devices.push({ ...device, key, ...mac })
      continue
    }
    if (at0 < 0) throw new Fault('InvalidDeviceSpec', `Invalid configuration for device '${device.key}'.`)
    if (operation === 'remove') vm.devices.splice(at0, 1)
    else {
      const before = vm.devices[at0] as Device
      if (Number(device.capacityInKB) < Number(before.capacityInKB))
        throw new Fault('InvalidDeviceSpec', 'Disks cannot shrink')
      vm.devices[at0] = { ...before, ...device }
    }
  }
}

export function inGuest(fake: FakeVcenter, method: string, xml: Element): Xml | Xml[] {
  const vm = fake.vms.get(textOf(xml.vm)) as FakeVm
  if (!vm.hasTools || vm.powerState !== 'poweredOn')
    throw new Fault('GuestOperationsUnavailable', 'The guest operations agent could not be contacted.')
  if (textOf(at(xml.auth, 'password')) !== 'gast-geheim')
    throw new Fault('InvalidGuestLogin', 'Failed to authenticate with the guest operating system.')
  if (method === 'StartProgramInGuest') {
    const cmdLine = `${textOf(at(xml.spec, 'programPath'))} ${textOf(at(xml.spec, 'arguments'))}`
    const command = Object.keys(fake.exits).find(one => cmdLine.includes(one)) ?? ''
    const process = {
      pid: 100 + fake.processes.length,
      cmdLine,
      exitCode: fake.exits[command] ?? 0,
      polls: command === 'sleep' ? 1000 : 1,
    }
    fake.processes.push(process)
    return process.pid
  }
  const pid = textOf(xml.pid ?? xml.pids)
  if (method === 'TerminateProcessInGuest') {
    Object.assign(fake.processes.find(one => String(one.pid) === pid) ?? {}, { isEnded: true })
    return undefined
  }
  return fake.processes
    .filter(one => !pid || String(one.pid) === pid)
    .map(one => {
      const isOver = one.isEnded || (pid !== '' && one.polls-- <= 0)
      const end = isOver ? { endTime: '2026-01-01T00:00:00Z', exitCode: one.exitCode } : {}
      return {
        name: 'sh',
        pid: one.pid,
        owner: 'root',
        cmdLine: one.cmdLine,
        startTime: '2026-01-01T00:00:00Z',
        ...end,
      }
    })
}
