import { type FakeAnswer, type FakeRequest, type FakeServer, startFakeServer } from '../../../../test/fake-device.ts'
import type { quirks } from '../src/quirks.ts'

type Quirk = (typeof quirks)[number]['name']
type Config = Record<string, string | number>

export interface FakeVm {
  node: string
  type: 'qemu' | 'lxc'
  status: 'running' | 'stopped'
  config: Config
  snapshots: Map<string, { description: string; snaptime: number; parent: string; vmstate: number; config: Config }>
  /** For a machine under high availability: how often it is looked at until a stop is so. */
  stopsIn?: number | undefined
}

interface Task {
  polls: number
  work: () => string | undefined
  /** How it has ended; undefined while it runs. */
  end?: string
  log: string[]
  vmid: number
}

/**
 * A cluster of two nodes, as strict as the API's schemas: parameters that are not in them are refused, changes are tasks that
 * have to be followed, and machines have locks. It has the quirks that it is told.
 */
export interface FakeProxmox extends FakeServer {
  readonly username: string
  readonly password: string
  readonly token: string
  readonly vms: Map<number, FakeVm>
  readonly nodes: Map<string, { status: string; mem: number; maxmem: number; maxcpu: number }>
  readonly storages: Map<string, { content: string; active: number; avail: number }>
  /** Each change: `POST /nodes/…`, with its parameters. */
  readonly told: { what: string; form: Record<string, string> }[]
  readonly quirks: Set<Quirk>
  /** How the next task ends, in place of what it does. */
  readonly ends: string[]
  logins: number
  add(id: number, vm: Partial<FakeVm>): FakeVm
  /** Lets all tasks come to their end that go on. */
  endTasks(): void
}

const number = /^\d+$/
const bool = /^[01]$/
const any = /^[\s\S]*$/
const dns = /^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$/
const device = {
  ...{
    name: dns,
    description: any,
    cores: number,
    sockets: number,
    memory: number,
    onboot: bool,
    agent: /^enabled=[01]$/,
  },
  ...{ cpu: any, ciuser: any, cipassword: /^\S*$/, nameserver: any, searchdomain: any, boot: /^order=[a-z0-9;]*$/ },
  ...{ ide0: /^[\w-]+:cloudinit$/, ide2: /,media=cdrom$/, sshkeys: /^[\w.!~*'()%-]+$/ },
}
/** By method and path: what may be given. Names with digits are those of several. */
const schemas: Readonly<Record<string, Record<string, RegExp>>> = {
  'POST /access/ticket': { username: any, password: any },
  'GET /cluster/resources': { type: /^(vm|node|storage)$/ },
  'GET /cluster/nextid': { vmid: number },
  'GET /nodes': {},
  'GET /nodes/N/storage': { enabled: bool, content: any },
  'GET /cluster/tasks': {},
  'GET /nodes/N/tasks/U/status': {},
  'GET /nodes/N/tasks/U/log': { limit: number, start: number },
  'POST /nodes/N/qemu': {
    ...{ ...device, vmid: number, ostype: any, bios: /^(seabios|ovmf)$/, machine: any, scsihw: any, pool: any },
  },
  'GET /nodes/N/qemu/V/config': {},
  'POST /nodes/N/qemu/V/config': { ...device, scsi0: /^[\w-]+:\d+$/, efidisk0: any, delete: any },
  'PUT /nodes/N/qemu/V/resize': { disk: any, size: /^\+?\d+[KMGT]$/ },
  'POST /nodes/N/qemu/V/clone': {
    ...{ newid: number, name: dns, description: any, full: bool, storage: any, target: any, pool: any },
  },
  'DELETE /nodes/N/qemu/V': { purge: bool, 'destroy-unreferenced-disks': bool },
  'GET /nodes/N/qemu/V/status/current': {},
  'POST /nodes/N/qemu/V/status/start': {},
  'POST /nodes/N/qemu/V/status/stop': {},
  'POST /nodes/N/qemu/V/status/reset': {},
  'POST /nodes/N/qemu/V/status/shutdown': { timeout: number, forceStop: bool },
  'GET /nodes/N/qemu/V/agent/network-get-interfaces': {},
  'GET /nodes/N/qemu/V/snapshot': {},
  'POST /nodes/N/qemu/V/snapshot': { snapname: /^[a-zA-Z][\w-]+$/, description: any, vmstate: bool },
  'POST /nodes/N/qemu/V/snapshot/S/rollback': { start: bool },
  'DELETE /nodes/N/qemu/V/snapshot/S': {},
}
const isKnown = (schema: Record<string, RegExp>, name: string, value: string): boolean => {
  if (/^net\d+$/.test(name) && 'name' in schema)
    return /^(virtio|e1000e?|rtl8139|vmxnet3)(=([0-9A-F]{2}:){5}[0-9A-F]{2})?,bridge=\w+$/.test(value)
  if (/^ipconfig\d+$/.test(name) && 'name' in schema) return /^ip6?=/.test(value)
  return schema[name]?.test(value) ?? false
}

const refusal = (status: number, reason: string, errors?: Record<string, string>): FakeAnswer => ({
  ...{ status, reason, body: { data: null, ...(errors && { errors }) } },
})
class Refusal {
  readonly answer: FakeAnswer
  constructor(...given: Parameters<typeof refusal>) {
    this.answer = refusal(...given)
  }
}

export async function startProxmox(): Promise<FakeProxmox> {
  const tasks = new Map<string, Task>()
  const server = await startFakeServer({
    answer: request => {
      try {
        return handle(fake, tasks, request)
      } catch (error) {
        if (error instanceof Refusal) return error.answer
        throw error
      }
    },
    canFail: ({ path }) => !path.endsWith('/access/ticket'),
  })
  const gib = 1 << 30
  const fake: FakeProxmox = {
    ...server,
    ...{ username: 'root@pam', password: 'geheim-12', token: '8f7c-geheim', logins: 0, told: [], ends: [] },
    vms: new Map(),
    nodes: new Map([
      ['pve1', { status: 'online', mem: 12 * gib, maxmem: 16 * gib, maxcpu: 8 }],
      ['pve2', { status: 'online', mem: 2 * gib, maxmem: 8 * gib, maxcpu: 4 }],
      ['pve3', { status: 'offline', mem: 0, maxmem: 0, maxcpu: 0 }],
    ]),
    storages: new Map([
      ['local', { content: 'iso,vztmpl', active: 1, avail: 100 * gib }],
      ['local-lvm', { content: 'images,rootdir', active: 1, avail: 100 * gib }],
    ]),
    quirks: new Set(),
    endTasks() {
      for (const task of tasks.values()) task.polls = 0
      for (const task of tasks.values()) look(fake, task)
    },
    add(id, vm) {
      const whole: FakeVm = {
        node: 'pve1',
        type: 'qemu',
        status: 'stopped',
        snapshots: new Map(),
        ...vm,
        config: vm.config ?? {},
      }
      fake.vms.set(id, whole)
      return whole
    },
  }
  return fake
}

function handle(fake: FakeProxmox, tasks: Map<string, Task>, request: FakeRequest): FakeAnswer {
  const { method, text } = request
  const path = decodeURIComponent(request.path.replace('/api2/json', ''))
  const isForm = request.headers['content-type'] === 'application/x-www-form-urlencoded'
  const form = isForm ? Object.fromEntries(new URLSearchParams(text)) : request.query
  const route = `${method} ${path
    .replace(/^\/nodes\/[^/]+/, '/nodes/N')
    .replace(/UPID:[^/]+/, 'U')
    .replace(/\/qemu\/\d+/, '/qemu/V')
    .replace(/\/snapshot\/[^/]+/, '/snapshot/S')}`
  const schema = schemas[route]
  if (!schema) throw new Refusal(501, `Method '${method} ${path}' not implemented`)
  if (route === 'POST /access/ticket') return logIn(fake, form)
  authenticate(fake, request)
  const wrong = Object.entries(form).filter(([name, value]) => !isKnown(schema, name, value))
  if (wrong.length)
    throw new Refusal(
      ...([400, 'Parameter verification failed.'] as const),
      Object.fromEntries(wrong.map(([name, value]) => [name, `invalid format - '${value}' is not allowed here`])),
    )
  if (method !== 'GET') fake.told.push({ what: `${method} ${path}`, form })
  return { status: 200, body: { data: dataOf(fake, tasks, route, path, form) } }
}

function logIn(fake: FakeProxmox, { username, password }: Record<string, string>): FakeAnswer {
  if (username !== fake.username || password !== fake.password) return refusal(401, 'authentication failure')
  if (fake.quirks.has('second-factor'))
    return { status: 200, body: { data: { username, ticket: 'PVE:!tfa!xyz', NeedTFA: 1, CSRFPreventionToken: 'x' } } }
  fake.logins++
  return {
    status: 200,
    body: { data: { username, ticket: `PVE:root@pam:${fake.logins}::a+b/=`, CSRFPreventionToken: 'csrf' } },
  }
}

function authenticate(fake: FakeProxmox, { method, headers }: FakeRequest): void {
  const { authorization, cookie = '', csrfpreventiontoken: csrf } = headers
  if (authorization !== undefined) {
    if (authorization === `PVEAPIToken=root@pam!contractor=${fake.token}`) return
    throw new Refusal(401, authorization.includes('!contractor=') ? 'invalid token value!' : 'no such token')
  }
  if (cookie !== `PVEAuthCookie=${encodeURIComponent(`PVE:root@pam:${fake.logins}::a+b/=`)}`)
    throw new Refusal(401, 'No ticket')
  if (fake.quirks.delete('ticket-expires')) throw new Refusal(401, 'permission denied - invalid PVE ticket')
  if (method !== 'GET' && csrf !== 'csrf') throw new Refusal(401, 'Permission denied - invalid csrf token')
}

function begin(
  tasks: Map<string, Task>,
  node: string,
  kind: string,
  vmid: number,
  work: Task['work'],
  polls = 1,
): string {
  const upid = `UPID:${node}:0000${(1000 + tasks.size).toString(16)}:00AB:65A0:${kind}:${vmid}:root@pam:`
  tasks.set(upid, { polls, work, log: [`starting ${kind}`], vmid })
  return upid
}

const isShuttingDown = (tasks: Map<string, Task>, id: number): boolean =>
  [...tasks].some(([upid, task]) => task.vmid === id && task.end === undefined && upid.includes(':qmshutdown:'))

/** What a task does comes with its end. */
function look(fake: FakeProxmox, task: Task): { status: string; exitstatus?: string } {
  if (task.end === undefined && task.polls-- <= 0) {
    const forced = fake.ends.shift()
    task.end = (forced === undefined || /^(OK|WARNINGS)/.test(forced) ? task.work() : undefined) ?? forced ?? 'OK'
    if (task.end !== 'OK') task.log.push('detail of the log', `TASK ERROR: ${task.end}`)
  }
  return task.end === undefined ? { status: 'running' } : { status: 'stopped', exitstatus: task.end }
}

function dataOf(
  fake: FakeProxmox,
  tasks: Map<string, Task>,
  route: string,
  path: string,
  form: Record<string, string>,
): unknown {
  if (route === 'GET /nodes')
    return [...fake.nodes].map(([node, one]) => ({ node, ...(one.maxmem ? one : { status: one.status }) }))
  if (route === 'GET /cluster/resources')
    return [...fake.vms].map(([vmid, vm]) => ({
      ...{ id: `${vm.type}/${vmid}`, vmid, type: vm.type, node: vm.node, status: vm.status },
      ...(vm.config.template && { template: 1 }),
      ...(!(fake.quirks.has('name-not-listed-yet') && vm.config.name) && { name: vm.config.name }),
    }))
  if (route === 'GET /cluster/tasks')
    return [...tasks].map(([upid, { end, vmid }]) => ({
      ...{ upid, id: String(vmid), node: upid.split(':')[1], type: upid.split(':')[5], starttime: 1 },
      ...(end !== undefined && { endtime: 2, status: end }),
    }))
  if (route === 'GET /cluster/nextid') {
    let id = 100
    const isFree = () => !fake.vms.has(id) || (fake.quirks.has('id-not-reserved') && id === 100)
    while (!isFree()) id++
    return String(id)
  }
  const node = path.split('/')[2] ?? ''
  const at = fake.nodes.get(node)
  if (!at) throw new Refusal(500, `hostname lookup '${node}' failed - failed to get address info for: ${node}`)
  if (at.status !== 'online') throw new Refusal(595, 'No route to host')
  if (route === 'GET /nodes/N/storage')
    return [...fake.storages].map(([storage, one]) => ({ storage, ...one, total: 1, used: 0, type: 'lvmthin' }))
  if (route.startsWith('GET /nodes/N/tasks/U')) {
    const task = tasks.get(/UPID:[^/]+/.exec(path)?.[0] ?? '')
    if (!task) throw new Refusal(500, 'no such task')
    return route.endsWith('/log') ? task.log.map((t, n) => ({ n: n + 1, t })) : look(fake, task)
  }
  if (route === 'POST /nodes/N/qemu') return create(fake, tasks, node, form)
  const id = Number(/\/qemu\/(\d+)/.exec(path)?.[1])
  const vm = fake.vms.get(id)
  if (vm && fake.quirks.has('machine-moves')) {
    fake.quirks.delete('machine-moves')
    vm.node = node === 'pve1' ? 'pve2' : 'pve1'
  }
  if (vm?.node !== node || vm.type !== 'qemu')
    throw new Refusal(500, `Configuration file 'nodes/${node}/qemu-server/${id}.conf' does not exist`)
  return route.startsWith('GET') ? read(fake, route, vm) : change(fake, tasks, { route, path, form, id, vm, node })
}

function create(fake: FakeProxmox, tasks: Map<string, Task>, node: string, form: Record<string, string>): string {
  const { vmid, pool: _, ...config } = form
  const id = Number(vmid)
  if (!id)
    throw new Refusal(400, 'Parameter verification failed.', { vmid: 'property is missing and it is not optional' })
  if (fake.vms.has(id)) throw new Refusal(500, `unable to create VM ${id}: VM ${id} already exists on node '${node}'`)
  // Until its task is at its end, it says nothing of itself.
  const vm = fake.add(id, { node, config: { lock: 'create' } })
  if (fake.quirks.has('locked-by-a-node-that-broke-down')) throw new Refusal(596, 'Broken pipe')
  return begin(tasks, node, 'qmcreate', id, () => {
    vm.config = withMacs(config, id)
    return undefined
  })
}

const withMacs = (config: Record<string, string>, id: number): Config =>
  Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      const mac = `BC:24:11:00:${(id % 256).toString(16).padStart(2, '0')}:0${key.slice(3)}`.toUpperCase()
      return [
        key,
        /^net\d/.test(key) && !value.includes('=', 0) ? value : value.replace(/^(virtio|e1000),/, `$1=${mac},`),
      ]
    }),
  )

function read(fake: FakeProxmox, route: string, vm: FakeVm): unknown {
  const { config, snapshots } = vm
  if (route.endsWith('/config'))
    return {
      digest: 'd',
      ...config,
      ...(config.description !== undefined && { description: `${config.description}\n` }),
    }
  if (route.endsWith('/status/current')) {
    if (vm.stopsIn !== undefined && vm.stopsIn-- <= 0) Object.assign(vm, { status: 'stopped', stopsIn: undefined })
    return { status: vm.status, qmpstatus: vm.status, ...(config.lock && { lock: config.lock }), pid: 1, cpus: 1 }
  }
  if (route.endsWith('/network-get-interfaces')) {
    if (fake.quirks.has('no-guest-agent')) throw new Refusal(500, 'QEMU guest agent is not running')
    const address = { 'ip-address': '10.0.0.5', 'ip-address-type': 'ipv4', prefix: 24 }
    return {
      result: [
        { name: 'lo', 'ip-addresses': [] },
        { name: 'eth0', 'ip-addresses': [address] },
      ],
    }
  }
  const list = [...snapshots].map(([name, { config: _, ...one }]) => ({ name, ...one }))
  return [...list, { name: 'current', description: 'You are here!', running: 0 }]
}

interface Change {
  route: string
  path: string
  form: Record<string, string>
  id: number
  vm: FakeVm
  node: string
}

function change(fake: FakeProxmox, tasks: Map<string, Task>, { route, path, form, id, vm, node }: Change): unknown {
  const { config } = vm
  if (config.lock) throw new Refusal(500, `VM is locked (${config.lock})`)
  // A guest that heeds nothing keeps its task for as long as that waits.
  const isSlow = route.endsWith('/shutdown') && fake.quirks.has('shutdown-without-acpi')
  const task = (kind: string, work: Task['work']) => begin(tasks, node, kind, id, work, isSlow ? 1000 : 1)
  if (fake.quirks.delete('lock-file-taken'))
    return task('qmany', () => `can't lock file '/var/lock/qemu-server/lock-${id}.conf' - got timeout`)
  const name = /\/snapshot\/([^/]+)/.exec(path)?.[1] ?? form.snapname ?? ''
  const isThere = vm.snapshots.has(name)
  const action = route.split('/').at(-1)
  switch (route) {
    case 'POST /nodes/N/qemu/V/status/start':
      return task('qmstart', () => {
        if (vm.status === 'running') return `VM ${id} already running`
        const bridge = Object.values(config).find(value => /bridge=missing/.test(String(value)))
        if (bridge) return "bridge 'missing' does not exist"
        vm.status = 'running'
        return undefined
      })
    case 'POST /nodes/N/qemu/V/status/stop':
    case 'POST /nodes/N/qemu/V/status/shutdown':
    case 'POST /nodes/N/qemu/V/status/reset':
      return task(`qm${action}`, () => {
        if (vm.status !== 'running') return `VM ${id} not running`
        if (action === 'shutdown' && fake.quirks.has('shutdown-without-acpi'))
          return 'VM quit/powerdown failed - got timeout'
        if (action === 'stop' && isShuttingDown(tasks, id))
          return `can't lock file '/var/lock/qemu-server/lock-${id}.conf' - got timeout`
        if (action === 'stop' && fake.quirks.has('stop-only-asked-for')) vm.stopsIn = 2
        else if (action !== 'reset') vm.status = 'stopped'
        return undefined
      })
    case 'DELETE /nodes/N/qemu/V':
      if (config.protection) throw new Refusal(500, `can't remove VM ${id} - protection mode enabled`)
      if (vm.status === 'running') throw new Refusal(500, `unable to destroy VM ${id} - VM is running - destroy failed`)
      return task('qmdestroy', () => void fake.vms.delete(id))
    case 'POST /nodes/N/qemu/V/clone':
      return clone(fake, tasks, { form, vm, id, node })
    case 'POST /nodes/N/qemu/V/config': {
      const { delete: gone = '', ...rest } = form
      return task('qmconfig', () => {
        const [storage = '', size] = (rest.scsi0 ?? '').split(':')
        if (storage && !fake.storages.has(storage)) return `storage '${storage}' does not exist`
        if (rest.ide2 && !/^local:iso\/debian/.test(rest.ide2))
          return `volume '${rest.ide2.split(',')[0]}' does not exist`
        for (const key of gone.split(',').filter(Boolean)) delete config[key]
        Object.assign(config, withMacs(rest, id), storage && { scsi0: `${storage}:vm-${id}-disk-0,size=${size}G` })
        return undefined
      })
    }
    case 'PUT /nodes/N/qemu/V/resize': {
      const disk = String(config[form.disk ?? ''] ?? '')
      if (!disk)
        throw new Refusal(400, 'Parameter verification failed.', { disk: `disk '${form.disk}' does not exist` })
      const [, present = 0] = /size=(\d+)G/.exec(disk) ?? []
      const wanted = Number(/^\d+/.exec(form.size ?? ''))
      if (wanted < Number(present)) throw new Refusal(500, 'shrinking disks is not supported')
      return task(
        'resize',
        () => void Object.assign(config, { [form.disk ?? '']: disk.replace(/size=\d+G/, `size=${wanted}G`) }),
      )
    }
    case 'POST /nodes/N/qemu/V/snapshot':
      if (isThere) throw new Refusal(500, `snapshot name '${name}' already used`)
      return task('qmsnapshot', () => {
        const parent = String(config.parent ?? '')
        const snaptime = 1_700_000_000 + vm.snapshots.size
        vm.snapshots.set(name, {
          description: form.description ?? '',
          snaptime,
          parent,
          vmstate: Number(form.vmstate),
          config: { ...config },
        })
        config.parent = name
        return undefined
      })
    case 'POST /nodes/N/qemu/V/snapshot/S/rollback':
      return task('qmrollback', () => {
        const found = vm.snapshots.get(name)
        if (!found) return `snapshot '${name}' does not exist`
        vm.config = { ...found.config, parent: name }
        vm.status = form.start === '1' ? 'running' : 'stopped'
        return undefined
      })
    case 'DELETE /nodes/N/qemu/V/snapshot/S':
      return task('qmdelsnapshot', () => {
        if (!isThere) return `snapshot '${name}' does not exist`
        vm.snapshots.delete(name)
        return undefined
      })
    default:
      throw new Refusal(501, `Method '${route}' not implemented`)
  }
}

function clone(
  fake: FakeProxmox,
  tasks: Map<string, Task>,
  { form, vm, id, node }: Pick<Change, 'form' | 'vm' | 'id' | 'node'>,
): string {
  const newid = Number(form.newid)
  if (fake.vms.has(newid)) throw new Refusal(500, `unable to create VM ${newid}: config file already exists`)
  if (form.storage && form.full === '0')
    throw new Refusal(400, 'Parameter verification failed.', { storage: 'this is not allowed for linked clones' })
  if (form.target && !fake.nodes.has(form.target)) throw new Refusal(500, `no such cluster node '${form.target}'`)
  const { template: _, ...config } = vm.config
  const { name = '', description = '' } = form
  const made = fake.add(newid, { node: form.target ?? node, config: { lock: 'clone' } })
  // It is told as the template's.
  return begin(tasks, node, 'qmclone', id, () => {
    made.config = { ...config, name, description }
    return undefined
  })
}
