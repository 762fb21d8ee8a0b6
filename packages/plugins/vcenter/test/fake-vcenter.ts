import { randomUUID, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FakeAnswer, type FakeRequest, type FakeServer, startFakeServer } from '../../../../test/fake-device.ts'
import {
  at,
  type Element,
  elementOf,
  listOf,
  type Node,
  readXml,
  textOf,
  writeXml,
  type Xml,
  type XmlObject,
} from '../src/handlers/xml.ts'
import type { quirks } from '../src/quirks.ts'
import { forms, methods, types } from './vim-schema.ts'

type Quirk = (typeof quirks)[number]['name']

export interface FakeObject {
  type: string
  /** By path, as they are written; a function is read anew each time. */
  props: Record<string, Xml | (() => Xml)>
}

export interface Device {
  [name: string]: Xml
}

export interface FakeVm {
  name: string
  uuid: string
  powerState: string
  isTemplate: boolean
  devices: Device[]
  extra: Record<string, string>
  /** What it was made and changed with, as the schema has it. */
  config: Element
  customization?: Element
  question?: string
  hasTools: boolean
}

interface Process {
  pid: number
  cmdLine: string
  exitCode: number
  polls: number
  isEnded?: boolean
}

/**
 * A vCenter, or a single host, as strict as vim25's schema: methods and types have what they may have, in its order; those that may
 * be of several types say which. It has the quirks that it is told.
 */
export interface FakeVcenter extends FakeServer {
  readonly username: string
  readonly password: string
  readonly objects: Map<string, FakeObject>
  readonly vms: Map<string, FakeVm>
  /** The methods that change something, with their parameters. */
  readonly told: { method: string; of: string; xml: Element }[]
  readonly quirks: Set<Quirk>
  /** How the next tasks fail: a fault and its words. Empty: not. */
  readonly fails: [fault: string, words: string][]
  readonly sessions: Set<string>
  logins: number
  readonly processes: Process[]
  /** How a command of the guest ends. */
  exits: Record<string, number>
  isHost: boolean
  /** What it says that the certificate of its hosts is. */
  thumbprint: string
  readonly leases: Map<string, 'open' | 'complete' | 'aborted'>
  addVm(id: string, vm: Partial<FakeVm>): FakeVm
}

class Fault {
  readonly type: string
  readonly words: string
  readonly detail: XmlObject
  constructor(type: string, words: string, detail: XmlObject = {}) {
    this.type = type
    this.words = words
    this.detail = detail
  }
}

const ref = (type: string, value: string): XmlObject => ({ '@_type': type, '#text': value })
const text = (value: string | number | boolean): XmlObject => ({ '@_xsi:type': 'xsd:string', '#text': String(value) })
const refs = (list: XmlObject[]): XmlObject => ({
  '@_xsi:type': 'ArrayOfManagedObjectReference',
  ManagedObjectReference: list,
})
const gib = 1024 ** 3

const ownThumbprint = new X509Certificate(readFileSync(join(import.meta.dirname, '../../../../test/device-cert.pem')))
  .fingerprint

export async function startVcenter(): Promise<FakeVcenter> {
  const server = await startFakeServer({
    answer: request => (request.path === '/sdk' ? handle(fake, tasks, request) : giveDisk(fake, request)),
    canFail: ({ text: body }) => !/RetrieveServiceContent|<Login|<Logout/.test(body),
  })
  const tasks = new Map<string, FakeTask>()
  const fake: FakeVcenter = {
    ...server,
    ...{
      username: 'ops@vsphere.local',
      password: 'geheim-12',
      logins: 0,
      thumbprint: ownThumbprint,
      isHost: false,
      told: [],
      fails: [],
      processes: [],
    },
    ...{ exits: {}, objects: new Map(), vms: new Map(), quirks: new Set(), sessions: new Set(), leases: new Map() },
    addVm(id, vm) {
      const whole: FakeVm = {
        ...{ name: id, uuid: randomUUID(), powerState: 'poweredOff', isTemplate: false, devices: [], extra: {} },
        ...{ config: {}, hasTools: true, ...vm },
      }
      fake.vms.set(id, whole)
      fake.objects.set(id, { type: 'VirtualMachine', props: propsOf(whole) })
      return whole
    },
  }
  fill(fake)
  return fake
}

function propsOf(vm: FakeVm): FakeObject['props'] {
  return {
    name: () => text(vm.name.replaceAll('%', '%25').replaceAll('/', '%2f')),
    'config.instanceUuid': () => text(vm.uuid),
    'config.template': () => text(vm.isTemplate),
    'config.extraConfig': () => ({
      '@_xsi:type': 'ArrayOfOptionValue',
      OptionValue: Object.entries(vm.extra).map(([key, value]) => ({ key, value: text(value) })),
    }),
    'config.hardware.device': () => ({ '@_xsi:type': 'ArrayOfVirtualDevice', VirtualDevice: vm.devices }),
    'config.hardware.numCPU': () => text(textOf(vm.config.numCPUs)),
    'config.hardware.memoryMB': () => text(textOf(vm.config.memoryMB)),
    'config.vAppConfig': () => ({ '@_xsi:type': 'VmConfigInfo', property: [{ key: 4, id: 'user', value: 'x' }] }),
    'runtime.powerState': () => text(vm.powerState),
    'runtime.host': () => ref('HostSystem', 'host-1'),
    'runtime.question': () =>
      vm.question === undefined
        ? undefined
        : { '@_xsi:type': 'VirtualMachineQuestionInfo', id: '1', text: vm.question },
    'guest.ipAddress': () => (vm.powerState === 'poweredOn' ? text('10.0.0.5') : undefined),
    'guest.net': () => ({
      '@_xsi:type': 'ArrayOfGuestNicInfo',
      GuestNicInfo: vm.powerState === 'poweredOn' ? [{ network: 'lan', ipAddress: ['10.0.0.5', 'fe80::1'] }] : [],
    }),
  }
}

/** A datacenter with a cluster of three hosts, of which one is in maintenance, and networks of both kinds. */
function fill({ objects }: FakeVcenter): void {
  const put = (id: string, type: string, props: FakeObject['props']) => objects.set(id, { type, props })
  put('datacenter-1', 'Datacenter', {
    name: text('dc1'),
    vmFolder: ref('Folder', 'group-v1'),
    hostFolder: ref('Folder', 'group-h1'),
  })
  put('cluster-1', 'ClusterComputeResource', {
    ...{ name: text('cluster1'), resourcePool: ref('ResourcePool', 'pool-1') },
    host: refs(['host-1', 'host-2', 'host-3'].map(id => ref('HostSystem', id))),
  })
  const host = (id: string, used: number, cpu: number, isDown = false) =>
    put(id, 'HostSystem', {
      ...{
        name: text(`${id}.lab`),
        datastore: refs([ref('Datastore', 'ds-1'), ref('Datastore', 'ds-2'), ref('Datastore', 'ds-3')]),
      },
      network: refs([ref('Network', 'network-1'), ref('DistributedVirtualPortgroup', 'dvpg-1')]),
      ...{ 'runtime.connectionState': text('connected'), 'runtime.inMaintenanceMode': text(isDown) },
      ...{
        'summary.hardware.memorySize': text(16 * gib),
        'summary.hardware.numCpuCores': text(8),
        'summary.hardware.cpuMhz': text(2000),
      },
      ...{ 'summary.quickStats.overallMemoryUsage': text(used), 'summary.quickStats.overallCpuUsage': text(cpu) },
      'configManager.datastoreSystem': ref('HostDatastoreSystem', `dss-${id}`),
    })
  host('host-1', 12_000, 1000)
  host('host-2', 4000, 15_000)
  host('host-3', 0, 0, true)
  const datastore = (id: string, name: string, free: number, isUp = true) =>
    put(id, 'Datastore', {
      name: text(name),
      'summary.accessible': text(isUp),
      'summary.freeSpace': text(free * gib),
      'summary.maintenanceMode': text('normal'),
    })
  datastore('ds-1', 'local1', 50)
  datastore('ds-2', 'shared1', 500)
  datastore('ds-3', 'shared2', 900, false)
  put('network-1', 'Network', { name: text('lan') })
  put('dvpg-1', 'DistributedVirtualPortgroup', {
    name: text('backend%2fblue'),
    key: text('dvportgroup-77'),
    'config.distributedVirtualSwitch': ref('VmwareDistributedVirtualSwitch', 'dvs-1'),
  })
  put('dvs-1', 'VmwareDistributedVirtualSwitch', { uuid: text('50 1a 2b') })
  put('gom', 'GuestOperationsManager', { processManager: ref('GuestProcessManager', 'gpm') })
}

const roots: Readonly<Record<string, [string, string]>> = {
  rootFolder: ['Folder', 'group-d1'],
  propertyCollector: ['PropertyCollector', 'propertyCollector'],
  viewManager: ['ViewManager', 'ViewManager'],
  sessionManager: ['SessionManager', 'SessionManager'],
  searchIndex: ['SearchIndex', 'SearchIndex'],
  ovfManager: ['OvfManager', 'OvfManager'],
  guestOperationsManager: ['GuestOperationsManager', 'gom'],
}

interface FakeTask {
  polls: number
  work: () => Xml
  end?: XmlObject
}

function giveDisk(fake: FakeVcenter, { path, headers }: FakeRequest): FakeAnswer {
  const session = headers.cookie ?? ''
  if (!fake.sessions.has(session)) return { status: 401, body: 'no session' }
  return path === '/nfc/disk-0.vmdk' ? { status: 200, body: 'KDMV'.repeat(1000) } : { status: 404, body: '' }
}

function handle(fake: FakeVcenter, tasks: Map<string, FakeTask>, request: FakeRequest): FakeAnswer {
  const headers = { 'Content-Type': 'text/xml; charset=utf-8' }
  try {
    if (
      !request.headers.soapaction?.startsWith('urn:vim25/') ||
      !request.headers['content-type']?.startsWith('text/xml')
    )
      throw new Fault('', 'Unsupported request')
    const body = elementOf(at(readXml(request.text), 'Envelope', 'Body'))
    const [method = '', node] = Object.entries(body).find(([key]) => !key.startsWith('@_')) ?? []
    const xml = elementOf(node)
    if (xml['@_xmlns'] !== 'urn:vim25') throw new Fault('', `Unable to resolve WSDL method name ${method}`)
    const answer = call(fake, tasks, method, xml, request)
    const returnval = Array.isArray(answer.value) ? answer.value : answer.value === undefined ? [] : [answer.value]
    const text = envelope({ [`${method}Response`]: { '@_xmlns': 'urn:vim25', returnval } })
    return {
      status: 200,
      headers: { ...headers, ...(answer.cookie && { 'Set-Cookie': `${answer.cookie}; Path=/; HttpOnly; Secure` }) },
      body: text,
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    const { type, words, detail } = error
    const own = type ? { [`${type}Fault`]: { '@_xsi:type': type, '@_xmlns': 'urn:vim25', ...detail } } : {}
    return {
      status: 500,
      headers,
      body: envelope({ 'soapenv:Fault': { faultcode: 'ServerFaultCode', faultstring: words, detail: own } }),
    }
  }
}

const envelope = (body: XmlObject): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${writeXml({
    'soapenv:Envelope': {
      '@_xmlns:soapenv': 'http://schemas.xmlsoap.org/soap/envelope/',
      '@_xmlns:xsd': 'http://www.w3.org/2001/XMLSchema',
      '@_xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
      'soapenv:Body': body,
    },
  })}`

/** Holds what is given against the schema: names, order, forms, and types where they have to be said. */
function check(fields: Readonly<Record<string, string>>, given: Element, where: string): void {
  const order = Object.keys(fields)
  let last = -1
  for (const [name, node] of Object.entries(given)) {
    if (name.startsWith('@_') || name === '_this') continue
    const place = order.indexOf(name)
    if (place < 0) throw new Fault('InvalidRequest', `Unexpected element tag "${name}" seen in ${where}`)
    if (place < last) throw new Fault('InvalidRequest', `Element tag "${name}" is out of order in ${where}`)
    last = place
    for (const one of listOf(node)) checkValue(fields[name] ?? '', one, `${where}.${name}`)
    if (listOf(node).length === 0) checkValue(fields[name] ?? '', '', `${where}.${name}`)
  }
}

function checkValue(kind: string, node: Node, where: string): void {
  const said = textOf(elementOf(node)['@_xsi:type'])
  const type = kind === '*' ? said : kind
  if (kind === '*' && !said) throw new Fault('InvalidRequest', `Abstract type without xsi:type in ${where}`)
  if (type === 'ref') {
    if (!elementOf(node)['@_type']) throw new Fault('InvalidRequest', `Missing type of a reference in ${where}`)
    return
  }
  const form = forms[type]
  if (form) {
    if (!form.test(textOf(node))) throw new Fault('InvalidRequest', `"${textOf(node)}" is no ${type} in ${where}`)
    return
  }
  const fields = types[type]
  if (!fields) throw new Fault('InvalidRequest', `Unknown type "${type}" in ${where}`)
  check(fields, elementOf(node), where)
}

function call(
  fake: FakeVcenter,
  tasks: Map<string, FakeTask>,
  method: string,
  xml: Element,
  { headers }: FakeRequest,
): { value?: Xml | Xml[]; cookie?: string } {
  const known = methods[method]
  if (!known) throw new Fault('', `Unable to resolve WSDL method name ${method}`)
  const self = elementOf(xml._this)
  if (self['@_type'] !== known.of) throw new Fault('InvalidType', `${method} is no method of ${self['@_type']}`)
  check(known.takes, xml, method)
  const session = headers.cookie ?? ''
  if (method === 'RetrieveServiceContent') {
    const about = {
      name: 'VMware vCenter Server',
      apiType: fake.isHost ? 'HostAgent' : 'VirtualCenter',
      apiVersion: '8.0.2.0',
    }
    const all = Object.entries(roots).map(([name, [type, id]]) => [name, ref(type, id)])
    return { value: { ...Object.fromEntries(all), about } }
  }
  if (method === 'Login') {
    if (textOf(xml.userName) !== fake.username || textOf(xml.password) !== fake.password)
      throw new Fault('InvalidLogin', 'Cannot complete login due to an incorrect user name or password.')
    if (fake.quirks.has('sessions-are-few') && fake.sessions.size >= 2)
      throw new Fault('', 'The session limit is reached')
    fake.logins++
    const cookie = `vmware_soap_session="${randomUUID()}"`
    fake.sessions.add(cookie)
    return { value: { key: 'k', userName: fake.username }, cookie }
  }
  if (!fake.sessions.has(session)) throw new Fault('NotAuthenticated', 'The session is not authenticated.')
  if (method === 'Logout') {
    fake.sessions.delete(session)
    return {}
  }
  if (fake.quirks.delete('session-lost')) {
    fake.sessions.delete(session)
    throw new Fault('NotAuthenticated', 'The session is not authenticated.')
  }
  const id = textOf(self)
  if (/^(vm|task|session|lease)/.test(id) && !fake.objects.has(id))
    throw new Fault('ManagedObjectNotFound', `The object '${self['@_type']}:${id}' has already been deleted`)
  const isLook =
    /^(Retrieve|Continue|Create(ContainerView|ImportSpec|Descriptor)|Destroy(View)|FindBy|Query|List|Parse|Http)/.test(
      method,
    )
  if (!isLook) {
    fake.told.push({ method, of: id, xml })
    if (fake.quirks.has('licence-for-reading'))
      throw new Fault(
        'RestrictedVersion',
        'Current license or ESXi version prohibits execution of the requested operation.',
      )
  }
  return { value: answerOf(fake, tasks, method, xml, id) }
}

const pages = new Map<string, Xml[]>()

function answerOf(
  fake: FakeVcenter,
  tasks: Map<string, FakeTask>,
  method: string,
  xml: Element,
  id: string,
): Xml | Xml[] {
  const begin = (work: () => Xml): XmlObject => {
    const task = `task-${tasks.size + 1}`
    const kept: FakeTask = { polls: 1, work }
    tasks.set(task, kept)
    fake.objects.set(task, { type: 'Task', props: { info: () => infoOf(fake, kept) } })
    return ref('Task', task)
  }
  const vm = fake.vms.get(id) as FakeVm
  const power = (from: string[], to: string) =>
    begin(() => {
      if (!from.includes(vm.powerState))
        throw new Fault('InvalidPowerState', 'The attempted operation cannot be performed in the current state.')
      vm.powerState = to
      return undefined
    })
  switch (method) {
    case 'CreateContainerView': {
      const view = `session[1]view-${fake.objects.size}`
      const [type, kind] = [textOf(xml.type), textOf(xml.container)]
      const matches = [...fake.objects].filter(
        ([, one]) => one.type === type || (type === 'ComputeResource' && one.type === 'ClusterComputeResource'),
      )
      const isRight = { Datacenter: 'group-d1', ComputeResource: 'group-h1', VirtualMachine: 'group-v1' }[type] === kind
      fake.objects.set(view, {
        type: 'ContainerView',
        props: { view: refs((isRight ? matches : []).map(([own, one]) => ref(one.type, own))) },
      })
      return ref('ContainerView', view)
    }
    case 'DestroyView':
      fake.objects.delete(id)
      return undefined
    case 'RetrievePropertiesEx':
      return retrieve(fake, elementOf(xml.specSet))
    case 'ContinueRetrievePropertiesEx':
      return { objects: pages.get(textOf(xml.token)) ?? [] }
    case 'FindByUuid': {
      const found = [...fake.vms].find(([, one]) => one.uuid === textOf(xml.uuid))
      return found && ref('VirtualMachine', found[0])
    }
    case 'CreateVM_Task':
      return createVm(fake, begin, elementOf(xml.config))
    case 'CloneVM_Task':
      return cloneVm(fake, begin, vm, xml)
    case 'ReconfigVM_Task':
      return begin(() => void reconfigure(vm, elementOf(xml.spec)))
    case 'PowerOnVM_Task': {
      if (fake.quirks.has('waits-for-an-answer')) vm.question = 'msg.uuid.altered: did you move it, or copy it?'
      const task = power(['poweredOff', 'suspended'], 'poweredOn')
      const kept = [...tasks.values()].at(-1)
      if (vm.question !== undefined && kept) kept.polls = 1000
      return task
    }
    case 'PowerOffVM_Task':
      return power(['poweredOn', 'suspended'], 'poweredOff')
    case 'ResetVM_Task':
      return power(['poweredOn'], 'poweredOn')
    case 'ShutdownGuest':
      if (!vm.hasTools)
        throw new Fault('ToolsUnavailable', 'Cannot complete operation because VMware Tools is not running.')
      vm.powerState = 'poweredOff'
      return undefined
    case 'Destroy_Task':
      if (vm.powerState === 'poweredOn')
        throw new Fault(
          'InvalidPowerState',
          'The attempted operation cannot be performed in the current state (Powered on).',
        )
      return begin(() => removeVm(fake, id))
    case 'MarkAsTemplate':
    case 'MarkAsVirtualMachine':
      if (fake.isHost) throw new Fault('NotSupported', 'The operation is not supported on the object.')
      vm.isTemplate = method === 'MarkAsTemplate'
      return undefined
    case 'QueryAvailableDisksForVmfs':
      return [
        { '@_xsi:type': 'HostScsiDisk', model: 'USB stick      ', devicePath: '/vmfs/devices/disks/usb' },
        { '@_xsi:type': 'HostScsiDisk', model: 'PERC H730      ', devicePath: '/vmfs/devices/disks/a' },
        { '@_xsi:type': 'HostScsiDisk', model: 'PERC H730      ', devicePath: '/vmfs/devices/disks/b' },
      ]
    case 'QueryVmfsDatastoreCreateOptions': {
      const diskName = textOf(xml.devicePath)
      const vmfs = { extent: { diskName, partition: 1 }, majorVersion: 6, volumeName: '*unset*' }
      const partition = { partitionFormat: 'gpt', totalSectors: 4096 }
      return [{ info: {}, spec: { '@_xsi:type': 'VmfsDatastoreCreateSpec', diskUuid: 'u1', partition, vmfs } }]
    }
    case 'CreateVmfsDatastore': {
      const name = textOf(at(xml.spec, 'vmfs', 'volumeName'))
      if (fake.fails.length) throw new Fault(...(fake.fails.shift() as [string, string]))
      fake.objects.set(`ds-${name}`, { type: 'Datastore', props: { name: text(name) } })
      const host = fake.objects.get(id.replace('dss-', '')) as FakeObject
      const before = listOf(elementOf(host.props.datastore as Node).ManagedObjectReference) as Xml[]
      host.props.datastore = refs([...before, ref('Datastore', `ds-${name}`)] as XmlObject[])
      return ref('Datastore', `ds-${name}`)
    }
    default:
      return method.endsWith('Guest') ? inGuest(fake, method, xml) : ofDisks(fake, begin, method, xml, id)
  }
}

function infoOf(fake: FakeVcenter, task: FakeTask): XmlObject {
  const info = (more: XmlObject) => ({ '@_xsi:type': 'TaskInfo', ...more })
  if (task.end) return task.end
  if (task.polls-- > 0) return info({ state: 'running', progress: 40 })
  try {
    const [fault, words] = fake.fails.shift() ?? ['', '']
    if (fault) throw new Fault(fault, words)
    const result = task.work()
    task.end = info({ state: 'success', result })
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    const { type, words, detail } = error
    task.end = info({ state: 'error', error: { fault: { '@_xsi:type': type, ...detail }, localizedMessage: words } })
  }
  return task.end
}

function retrieve(fake: FakeVcenter, spec: Element): Xml {
  const paths = listOf(at(spec, 'propSet', 'pathSet')).map(textOf)
  const type = textOf(at(spec, 'propSet', 'type'))
  const isView = at(spec, 'objectSet', 'selectSet') !== undefined
  const named = listOf(spec.objectSet).map(one => textOf(at(one, 'obj')))
  const view = isView ? (fake.objects.get(named[0] ?? '')?.props.view as Node) : undefined
  const ids = isView ? listOf(elementOf(view).ManagedObjectReference).map(textOf) : named
  const objects = ids.map(id => {
    const found = fake.objects.get(id)
    if (!found)
      throw new Fault(
        'ManagedObjectNotFound',
        `The object '${id}' has already been deleted or has not been completely created`,
      )
    if (found.type !== type && !(type === 'ComputeResource' && found.type === 'ClusterComputeResource'))
      throw new Fault('InvalidRequest', `${id} is no ${type}`)
    const propSet = paths.flatMap(path => {
      const own = found.props[path]
      const val = typeof own === 'function' ? own() : own
      return val === undefined ? [] : [{ name: path, val: asValue(val) }]
    })
    return { obj: ref(found.type, id), propSet }
  })
  if (!fake.quirks.has('lists-in-pages') || objects.length < 2) return { objects }
  pages.set('page-2', objects.slice(1))
  return { token: 'page-2', objects: objects.slice(0, 1) }
}

const asValue = (val: Xml): Xml => {
  const own = val as XmlObject
  return '@_type' in own ? { '@_xsi:type': 'ManagedObjectReference', ...own } : val
}

function removeVm(fake: FakeVcenter, id: string): undefined {
  fake.vms.delete(id)
  fake.objects.delete(id)
}

type Begin = (work: () => Xml) => XmlObject

function refuseTaken(fake: FakeVcenter, name: string): void {
  const taken = [...fake.vms].find(([, one]) => one.name === name)
  if (taken)
    throw new Fault('DuplicateName', `The name '${name}' already exists.`, {
      name,
      object: ref('VirtualMachine', taken[0]),
    })
}

function createVm(fake: FakeVcenter, begin: Begin, config: Element): XmlObject {
  const name = textOf(config.name)
  refuseTaken(fake, name)
  if (!/^\[(local1|shared1)\]/.test(textOf(at(config, 'files', 'vmPathName'))))
    throw new Fault('InvalidDatastorePath', 'Invalid datastore path')
  return begin(() => {
    const id = `vm-${fake.objects.size}`
    reconfigure(fake.addVm(id, { name }), config)
    return ref('VirtualMachine', id)
  })
}

function cloneVm(fake: FakeVcenter, begin: Begin, source: FakeVm, xml: Element): XmlObject {
  const name = textOf(xml.name)
  refuseTaken(fake, name)
  return begin(() => {
    const customization = at(xml.spec, 'customization')
    const made = fake.addVm(`vm-${fake.objects.size}`, {
      name,
      devices: source.devices.map(one => ({ ...one })),
      extra: { ...source.extra },
    })
    if (customization !== undefined) made.customization = elementOf(customization)
    reconfigure(made, elementOf(at(xml.spec, 'config')))
    return undefined
  })
}

const firstKeys: Readonly<Record<string, number>> = { ParaVirtualSCSIController: 1000, VirtualDisk: 2000 }

function reconfigure(vm: FakeVm, config: Element): void {
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

function inGuest(fake: FakeVcenter, method: string, xml: Element): Xml | Xml[] {
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

function ofDisks(fake: FakeVcenter, begin: Begin, method: string, xml: Element, id: string): Xml | Xml[] {
  const lease = (work: () => void, deviceUrl: XmlObject[]): XmlObject => {
    const own = `lease-${fake.leases.size + 1}`
    let polls = 1
    fake.leases.set(own, 'open')
    fake.objects.set(own, {
      type: 'HttpNfcLease',
      props: {
        state: () => {
          if (polls-- > 0) return text('initializing')
          if (polls === -1) work()
          return text('ready')
        },
        info: { '@_xsi:type': 'HttpNfcLeaseInfo', leaseTimeout: 300, deviceUrl },
      },
    })
    return ref('HttpNfcLease', own)
  }
  switch (method) {
    case 'ParseDescriptor':
      return {
        network: [...textOf(xml.ovfDescriptor).matchAll(/<Network ovf:name="([^"]*)"/g)].map(([, name = '']) => ({
          name,
          description: '',
        })),
      }
    case 'CreateImportSpec': {
      const [descriptor, cisp] = [textOf(xml.ovfDescriptor), elementOf(xml.cisp)]
      if (!descriptor.includes('<Envelope'))
        return {
          error: [
            { fault: { '@_xsi:type': 'OvfInvalidPackage' }, localizedMessage: 'The OVF descriptor is not valid.' },
          ],
        }
      const mapped = listOf(cisp.networkMapping).map(one => textOf(at(one, 'network')))
      const nic = (network: string, place: number) => ({
        operation: 'add',
        device: {
          '@_xsi:type': 'VirtualVmxnet3',
          key: -10 - place,
          backing: {
            '@_xsi:type': 'VirtualEthernetCardNetworkBackingInfo',
            deviceName: network,
            network: ref('Network', network),
          },
        },
      })
      const configSpec = {
        name: textOf(cisp.entityName),
        numCPUs: 2,
        memoryMB: 8192,
        deviceChange: mapped.map(nic),
        extraConfig: { key: 'own', value: text('1') },
        firmware: 'efi',
      }
      const type = descriptor.includes('VirtualSystemCollection') ? 'VirtualAppImportSpec' : 'VirtualMachineImportSpec'
      const fileItem = {
        deviceId: '/vm/VirtualLsiLogicController0:0',
        path: 'app-disk1.vmdk',
        create: false,
        size: 4000,
      }
      return {
        importSpec: { '@_xsi:type': type, configSpec },
        fileItem,
        warning: [{ localizedMessage: 'No manifest file found.' }],
      }
    }
    case 'ImportVApp': {
      const config = elementOf(at(xml.spec, 'configSpec'))
      refuseTaken(fake, textOf(config.name))
      return lease(() => reconfigure(fake.addVm(`vm-${fake.objects.size}`, { name: textOf(config.name) }), config), [])
    }
    case 'HttpNfcLeasePullFromUrls_Task':
      fake.told.push({ method, of: id, xml })
      return begin(() => undefined)
    case 'ExportVm': {
      if (fake.vms.get(id)?.powerState !== 'poweredOff')
        throw new Fault('InvalidPowerState', 'The operation is not allowed in the current state.')
      const thumb = fake.isHost ? {} : { sslThumbprint: fake.thumbprint }
      const url = fake.isHost ? 'https://*/nfc/disk-0.vmdk' : `https://127.0.0.1:${fake.port}/nfc/disk-0.vmdk`
      return lease(
        () => undefined,
        [
          { key: '/vm/disk0', importKey: 'i', url, ...thumb, disk: true },
          { key: '/vm/nvram', importKey: 'n', url: 'https://*/nfc/nvram', disk: false },
        ],
      )
    }
    case 'CreateDescriptor':
      return {
        ovfDescriptor: `<Envelope>${textOf(at(xml.cdp, 'ovfFiles', 'path'))} ${textOf(at(xml.cdp, 'ovfFiles', 'size'))}</Envelope>`,
      }
    case 'HttpNfcLeaseProgress':
      return undefined
    case 'HttpNfcLeaseComplete':
      fake.leases.set(id, 'complete')
      return undefined
    case 'HttpNfcLeaseAbort':
      fake.leases.set(id, 'aborted')
      for (const [own, one] of fake.vms)
        if (one.extra['contractor.whole'] === 'false' && one.extra.own === '1') removeVm(fake, own)
      return undefined
    default:
      throw new Fault('', `Unable to resolve WSDL method name ${method}`)
  }
}
