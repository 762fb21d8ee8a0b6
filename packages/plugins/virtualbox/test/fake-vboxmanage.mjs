#!/usr/bin/env node
// A VBoxManage in the place of the real one. It takes the commands and options that the real one takes (version 7.0), refuses all
// others, keeps machines as files under FAKE_VBOX, and writes and fails as the real one does. Faults are in FAKE_VBOX/faults.json.
import { randomUUID } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const root = process.env.FAKE_VBOX
const read = (name, otherwise) =>
  existsSync(join(root, name)) ? JSON.parse(readFileSync(join(root, name), 'utf8')) : otherwise
const state = read('state.json', { machines: {}, media: {} })
const faults = read('faults.json', {})
const save = () => writeFileSync(join(root, 'state.json'), JSON.stringify(state))
const args = process.argv.slice(2)
if (args[0] === '-q') args.shift()
appendFileSync(join(root, 'log'), `${args.join(' ')}\n`)

const end = (code, text) => {
  process.stderr.write(`${text}\n`)
  process.exit(code)
}
const fail = (message, code = 'VBOX_E_INVALID_OBJECT_STATE (0x80bb0007)', component = 'MachineWrap') =>
  end(
    1,
    `VBoxManage: error: ${message}\nVBoxManage: error: Details: code ${code}, component ${component}, interface IMachine, callee nsISupports\nVBoxManage: error: Context: "RTEXITCODE handle(HandlerArg *)" at line 640 of file VBoxManage.cpp`,
  )
const syntax = what => end(2, `Usage:\n\nVBoxManage: error: ${what}`)
const say = text => process.stdout.write(`${text}\n`)

/** Reads `--name value` and `--name=value`; refuses what is not among the names. */
function options(names) {
  const found = {}
  while (args.length) {
    const [given, joined] = args.shift().split('=', 2)
    const name = names.find(one => `--${one}` === given)
    if (!name) syntax(`Invalid parameter '${given}'`)
    if (['register', 'delete', 'machinereadable'].includes(name)) found[name] = true
    else {
      const value = joined ?? args.shift()
      if (value === undefined) syntax(`Missing argument to '${given}'`)
      found[name] = value
    }
  }
  return found
}
const find = key => {
  const found = Object.values(state.machines).find(one => one.uuid === key || one.name === key)
  if (found) return found
  return fail(
    `Could not find a registered machine named '${key}'`,
    'VBOX_E_OBJECT_NOT_FOUND (0x80bb0001)',
    'VirtualBoxWrap',
  )
}
/** Each command that wants the lock brings a machine that was switched off nearer to its end. */
function lock(machine) {
  if (machine.locked > 0) {
    machine.locked--
    save()
    fail(`The machine '${machine.name}' is already locked for a session (or being unlocked)`)
  }
  if (machine.state === 'running')
    fail(`The machine '${machine.name}' is already locked by a session (or being locked or unlocked)`)
  if (machine.state === 'saved')
    fail('The machine is not mutable (state is Saved)', 'VBOX_E_INVALID_VM_STATE (0x80bb0002)')
}
const isRunning = machine =>
  machine.state === 'running'
    ? undefined
    : end(1, `VBoxManage: error: Machine '${machine.name}' is not currently running.`)
const settingsOf = machine => join(machine.folder, `${machine.name}.vbox`)

const osTypes = ['Other', 'Debian_64', 'Ubuntu_64', 'Windows2022_64']
const adapters = ['Am79C970A', 'Am79C973', 'Am79C960', '82540EM', '82543GC', '82545EM', 'virtio']
const networks = {
  hostonly: 'hostonlyadapter',
  bridged: 'bridgeadapter',
  intnet: 'intnet',
  natnetwork: 'nat-network',
  nat: null,
  null: null,
  none: null,
}
const numbered = name => Array.from({ length: 8 }, (_, at) => `${name}${at + 1}`)

const commands = {
  '--version': () => say('7.0.20r163906'),
  list() {
    const [what] = args.splice(0, 1)
    if (what === 'vms') for (const one of Object.values(state.machines)) say(`"${one.name}" {${one.uuid}}`)
    else syntax(`Unknown command '${what}'`)
  },
  showvminfo() {
    const machine = find(args.shift())
    if (!options(['machinereadable']).machinereadable) syntax('only --machinereadable is known here')
    if (faults.cutsShort) return void process.stdout.write('name="we')
    const lines = [
      `name="${machine.name}"`,
      `groups="${machine.groups}"`,
      `ostype="${machine.osType}"`,
      `UUID="${machine.uuid}"`,
      `CfgFile="${settingsOf(machine)}"`,
      `memory=${machine.memory}`,
      `cpus=${machine.cpus}`,
      ...machine.boot.map((device, at) => `boot${at + 1}="${device}"`),
      `VMState="${machine.state}"`,
      ...(machine.controller ? ['storagecontrollername0="SATA"', 'storagecontrollertype0="IntelAhci"'] : []),
      ...Object.entries(machine.attached).map(([port, medium]) => `"SATA-${port}-0"="${medium}"`),
      ...machine.nics.flatMap((nic, at) => [
        ...(nic.kind === 'none' || !networks[nic.kind]
          ? []
          : [`${networks[nic.kind].replace('-', '')}${at + 1}="${nic.network}"`]),
        ...(nic.kind === 'none' ? [] : [`macaddress${at + 1}="${nic.mac}"`, `cableconnected${at + 1}="on"`]),
        `nic${at + 1}="${nic.kind}"`,
      ]),
    ]
    say(lines.join('\n'))
  },
  createvm() {
    const {
      name,
      uuid = randomUUID(),
      groups = '/',
      ostype = 'Other',
      basefolder = join(root, 'VMs'),
      register,
    } = options([...['name', 'uuid', 'groups', 'ostype', 'basefolder', 'register']])
    if (!name) syntax('Parameter --name is required')
    if (!osTypes.includes(ostype)) fail(`Guest OS type '${ostype}' is invalid`, 'VBOX_E_OBJECT_NOT_FOUND (0x80bb0001)')
    const folder = join(basefolder, groups === '/' ? '' : groups, name)
    const file = join(folder, `${name}.vbox`)
    if (existsSync(file)) fail(`Machine settings file '${file}' already exists`, 'VBOX_E_FILE_ERROR (0x80bb0004)')
    const nics = Array.from({ length: 8 }, () => ({ kind: 'none' }))
    const machine = {
      ...{
        name,
        uuid,
        groups,
        osType: ostype,
        folder,
        memory: 128,
        cpus: 1,
        boot: ['floppy', 'dvd', 'disk', 'none'],
        nics,
      },
      ...{ state: 'poweroff', attached: {}, controller: false, locked: 0, snapshots: [] },
    }
    mkdirSync(folder, { recursive: true })
    writeFileSync(file, `<VirtualBox><Machine uuid="{${uuid}}" name="${name}"/></VirtualBox>\n`)
    writeFileSync(`${file}.json`, JSON.stringify(machine))
    if (faults.killedBeforeRegister) process.kill(process.pid, 'SIGKILL')
    if (register) state.machines[uuid] = machine
    save()
    say(
      `Virtual machine '${name}' is created${register ? ' and registered' : ''}.\nUUID: ${uuid}\nSettings file: '${file}'`,
    )
  },
  registervm() {
    const file = args.shift()
    if (!existsSync(file)) fail(`Could not open '${file}' (VERR_FILE_NOT_FOUND)`, 'VBOX_E_FILE_ERROR (0x80bb0004)')
    const machine = JSON.parse(readFileSync(`${file}.json`, 'utf8'))
    state.machines[machine.uuid] = machine
    save()
  },
  modifyvm() {
    const machine = find(args.shift())
    lock(machine)
    const given = options([
      ...['cpus', 'memory', 'boot1', 'boot2', 'boot3', 'boot4'],
      ...[
        'nic',
        'hostonlyadapter',
        'bridgeadapter',
        'intnet',
        'nat-network',
        'nictype',
        'macaddress',
        'cableconnected',
      ].flatMap(numbered),
    ])
    if (faults.killedInModify) process.kill(process.pid, 'SIGKILL')
    for (const [name, value] of Object.entries(given)) {
      const number = Number(/\d$/.exec(name)?.[0]) - 1
      const kind = name.replace(/\d$/, '')
      const nic = machine.nics[number]
      if (kind === 'boot') {
        if (!['none', 'floppy', 'dvd', 'disk', 'net'].includes(value)) syntax(`Invalid boot device '${value}'`)
        machine.boot[number] = value
      } else if (kind === 'nic') {
        if (!(value in networks)) syntax(`Invalid type '${value}' specfied for NIC ${number + 1}`)
        Object.assign(nic, { kind: value, mac: nic.mac ?? '080027000000' })
      } else if (kind === 'nictype') {
        if (!adapters.includes(value)) syntax(`Invalid NIC type '${value}' specified for NIC ${number + 1}`)
      } else if (kind === 'macaddress') {
        if (value !== 'auto' && !/^[0-9A-F]{12}$/.test(value)) syntax(`Invalid MAC address '${value}'`)
        nic.mac =
          value === 'auto' ? `080027${Math.random().toString(16).slice(2, 8).padEnd(6, '0').toUpperCase()}` : value
      } else if (Object.values(networks).includes(kind)) nic.network = value
      else if (kind !== 'cableconnected') machine[name] = Number(value)
    }
    save()
  },
  storagectl() {
    const machine = find(args.shift())
    lock(machine)
    const given = options(['name', 'add', 'controller', 'portcount', 'bootable'])
    if (given.name !== 'SATA' || given.add !== 'sata' || Number(given.portcount) > 30) syntax('Invalid parameter')
    if (machine.controller) fail(`Storage controller named 'SATA' already exists`, 'VBOX_E_OBJECT_IN_USE (0x80bb000c)')
    machine.controller = true
    save()
  },
  createmedium() {
    if (args.shift() !== 'disk') syntax('Invalid medium type')
    const { filename, size, format = 'VDI' } = options(['filename', 'size', 'format', 'variant'])
    if (!filename || !(Number(size) > 0) || format !== 'VDI') syntax('Parameters --filename and --size are required')
    if (existsSync(filename))
      fail(
        `Failed to create medium\nVBoxManage: error: Could not create the medium storage unit '${filename}'.\nVBoxManage: error: VDI: cannot create image '${filename}' (VERR_ALREADY_EXISTS)`,
        'VBOX_E_FILE_ERROR (0x80bb0004)',
      )
    if (faults.diskFull)
      fail(
        `Could not create the medium storage unit '${filename}'.\nVBoxManage: error: VDI: cannot allocate space (VERR_DISK_FULL)`,
        'VBOX_E_FILE_ERROR (0x80bb0004)',
      )
    if (!existsSync(dirname(filename)))
      fail(`Could not create the directory '${dirname(filename)}'`, 'VBOX_E_IPRT_ERROR (0x80bb0005)')
    writeFileSync(filename, size)
    if (faults.killedInDisk) process.kill(process.pid, 'SIGKILL')
    state.media[filename] = { size: Number(size) }
    save()
    process.stderr.write('0%...10%...20%...30%...40%...50%...60%...70%...80%...90%...100%\n')
    say(`Medium created. UUID: ${randomUUID()}`)
  },
  closemedium() {
    if (args.shift() !== 'disk') syntax('Invalid medium type')
    const file = args.shift()
    options(['delete'])
    if (!existsSync(file))
      fail(`Could not find file for the medium '${file}' (VERR_FILE_NOT_FOUND)`, 'VBOX_E_FILE_ERROR (0x80bb0004)')
    if (!state.media[file])
      fail(
        `Could not get the storage format of the medium '${file}' (VERR_NOT_SUPPORTED)`,
        'VBOX_E_IPRT_ERROR (0x80bb0005)',
      )
    delete state.media[file]
    rmSync(file)
    save()
  },
  storageattach() {
    const machine = find(args.shift())
    const { storagectl, port, device, type, medium } = options(['storagectl', 'port', 'device', 'type', 'medium'])
    if (machine.state !== 'running') lock(machine)
    else if (type !== 'dvddrive') lock(machine)
    if (!machine.controller || storagectl !== 'SATA')
      fail(`Could not find a storage controller named '${storagectl}'`, 'VBOX_E_OBJECT_NOT_FOUND (0x80bb0001)')
    if (device !== '0' || Number(port) > 29)
      fail(`The port and/or device parameter are out of range`, 'NS_ERROR_INVALID_ARG')
    if (!['hdd', 'dvddrive'].includes(type)) syntax(`Invalid --type argument '${type}'`)
    if (medium !== 'none' && medium !== 'emptydrive' && !existsSync(medium))
      fail(`Could not find file for the medium '${medium}' (VERR_FILE_NOT_FOUND)`, 'VBOX_E_FILE_ERROR (0x80bb0004)')
    machine.attached[port] = medium
    save()
  },
  startvm() {
    const machine = find(args.shift())
    if (options(['type']).type !== 'headless') syntax('Invalid frontend')
    if (machine.locked > 0 || machine.state === 'running') {
      machine.locked = Math.max(0, machine.locked - 1)
      save()
      fail(`The machine '${machine.name}' is already locked by a session (or being locked or unlocked)`)
    }
    if (faults.noVirtualization)
      fail('VT-x is not available (VERR_VMX_NO_VMX)', 'NS_ERROR_FAILURE (0x80004005)', 'ConsoleWrap')
    const lost = machine.nics.find(
      one => one.kind === 'hostonly' && !read('networks.json', ['vboxnet0']).includes(one.network),
    )
    if (lost)
      fail(
        `Nonexistent host networking interface, name '${lost.network}' (VERR_INTERNAL_ERROR)`,
        'NS_ERROR_FAILURE (0x80004005)',
        'ConsoleWrap',
      )
    machine.state = 'running'
    save()
    if (faults.startedByOther)
      fail(`The machine '${machine.name}' is already locked by a session (or being locked or unlocked)`)
    say(`Waiting for VM "${machine.name}" to power on...\nVM "${machine.name}" has been successfully started.`)
  },
  controlvm() {
    const machine = find(args.shift())
    const verb = args.shift()
    isRunning(machine)
    if (verb === 'poweroff') Object.assign(machine, { state: 'poweroff', locked: faults.keepsLock ?? 0 })
    else if (verb === 'acpipowerbutton') {
      if (!faults.noAcpi) machine.state = 'poweroff'
    } else if (verb === 'savestate') machine.state = 'saved'
    else if (verb !== 'reset') syntax(`Invalid parameter '${verb}'`)
    save()
    if (verb === 'poweroff') process.stderr.write('0%...10%...20%...30%...40%...50%...60%...70%...80%...90%...100%\n')
  },
  unregistervm() {
    const machine = find(args.shift())
    const isDeleted = options(['delete']).delete
    if (machine.locked > 0 || machine.state === 'running') {
      machine.locked = Math.max(0, machine.locked - 1)
      save()
      fail(`Cannot unregister the machine '${machine.name}' while it is locked`)
    }
    delete state.machines[machine.uuid]
    for (const medium of Object.values(machine.attached)) delete state.media[medium]
    if (isDeleted) rmSync(machine.folder, { recursive: true, force: true })
    save()
  },
  snapshot() {
    const machine = find(args.shift())
    const verb = args.shift()
    if (verb === 'list') {
      options(['machinereadable'])
      if (!machine.snapshots.length) {
        say('This machine does not have any snapshots')
        process.exit(1)
      }
      machine.snapshots.forEach((one, at) => {
        const place = '-1'.repeat(at)
        say(`SnapshotName${place}="${one.name}"\nSnapshotUUID${place}="${one.uuid}"`)
      })
      return say(`CurrentSnapshotName="${machine.snapshots.at(-1).name}"`)
    }
    const name = args.shift()
    if (verb === 'take') {
      machine.snapshots.push({ name, uuid: randomUUID() })
      return save()
    }
    const found = machine.snapshots.find(one => one.uuid === name || one.name === name)
    if (!found) fail(`Could not find a snapshot named '${name}'`, 'VBOX_E_OBJECT_NOT_FOUND (0x80bb0001)')
    if (verb === 'restore') lock(machine)
    else if (verb === 'delete') machine.snapshots = machine.snapshots.filter(one => one !== found)
    else syntax(`Invalid parameter '${verb}'`)
    save()
  },
}

if (faults.hangs) await new Promise(() => setInterval(() => undefined, 1000))
if (faults.noService)
  end(
    1,
    'VBoxManage: error: Failed to create the VirtualBox object!\nVBoxManage: error: Code NS_ERROR_ABORT (0x80004004)',
  )
const command = args.shift()
if (!Object.hasOwn(commands, command ?? '')) syntax(`Invalid command '${command}'`)
commands[command]()
