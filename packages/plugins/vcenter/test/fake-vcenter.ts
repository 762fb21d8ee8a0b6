import { randomUUID, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FakeAnswer, type FakeRequest, startFakeServer } from '../../../../test/fake-device.ts'
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
import { ofDisks } from './fake-disks.ts'
import { fill, propsOf } from './fake-inventory.ts'
import { cloneVm, createVm, inGuest, reconfigure, removeVm } from './fake-machines.ts'
import {
  type FakeObject,
  type FakeTask,
  type FakeVcenter,
  type FakeVm,
  Fault,
  ref,
  refs,
  text,
} from './fake-objects.ts'
import { forms, methods, types } from './vim-schema.ts'

const ownThumbprint = new X509Certificate(readFileSync(join(import.meta.dirname, '../../../../test/device-cert.pem')))
  .fingerprint

/** Into an object that a test has already, where it gives one. */
export async function startVcenter(into = {} as FakeVcenter): Promise<FakeVcenter> {
  const server = await startFakeServer({
    answer: request => (request.path === '/sdk' ? handle(fake, tasks, request) : giveDisk(fake, request)),
    canFail: ({ text: body }) => !/RetrieveServiceContent|<Login|<Logout/.test(body),
  })
  const tasks = new Map<string, FakeTask>()
  const own: FakeVcenter = {
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
        ...{ config: {}, hasTools: true, isBorn: true, ...vm },
      }
      fake.vms.set(id, whole)
      fake.objects.set(id, { type: 'VirtualMachine', props: propsOf(whole) })
      return whole
    },
  }
  const fake = Object.assign(into, own)
  fill(fake)
  fake.objects.set('TaskManager', {
    type: 'TaskManager',
    props: { recentTask: () => refs([...tasks.keys()].map(id => ref('Task', id))) },
  })
  return fake
}

const roots: Readonly<Record<string, [string, string]>> = {
  rootFolder: ['Folder', 'group-d1'],
  propertyCollector: ['PropertyCollector', 'propertyCollector'],
  viewManager: ['ViewManager', 'ViewManager'],
  sessionManager: ['SessionManager', 'SessionManager'],
  searchIndex: ['SearchIndex', 'SearchIndex'],
  ovfManager: ['OvfManager', 'OvfManager'],
  guestOperationsManager: ['GuestOperationsManager', 'gom'],
  taskManager: ['TaskManager', 'TaskManager'],
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
  const begin = (work: () => Xml, descriptionId = 'other'): XmlObject => {
    const task = `task-${tasks.size + 1}`
    const kept: FakeTask = { polls: 1, descriptionId, work }
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
  const info = (more: XmlObject) => ({ '@_xsi:type': 'TaskInfo', descriptionId: task.descriptionId, ...more })
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
    for (const [id, one] of fake.vms) if (!one.isBorn) removeVm(fake, id)
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
