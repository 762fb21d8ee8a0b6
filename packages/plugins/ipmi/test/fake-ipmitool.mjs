#!/usr/bin/env node
// An ipmitool in the place of the real one, for what ipmi_sim cannot be made to do. It takes the arguments that the real one
// takes and refuses all others; its BMC is the file FAKE_BMC, and it appends every command that it was given to FAKE_BMC.log.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'

const file = process.env.FAKE_BMC
const bmc = JSON.parse(readFileSync(file, 'utf8'))
const fail = (...lines) => {
  process.stderr.write(`${lines.join('\n')}\n`)
  process.exit(1)
}
const args = process.argv.slice(2)
const options = {}
while (args[0]?.startsWith('-')) {
  const name = args.shift()
  if (name === '-v' || name === '-c') options[name] = true
  else if (['-I', '-H', '-p', '-U', '-f', '-C', '-N', '-R'].includes(name)) options[name] = args.shift()
  else fail(`ipmitool: invalid option -- '${name.slice(1)}'`)
}
if (options['-I'] !== 'lanplus') fail('Error loading interface')
const password = readFileSync(options['-f'], 'utf8').split('\n')[0]
const command = args.join(' ')
appendFileSync(`${file}.log`, `${options['-C']} ${command}\n`)
const save = () => writeFileSync(file, JSON.stringify(bmc))

if (bmc.hangs) await new Promise(() => setInterval(() => undefined, 1000))
if (options['-C'] === '17' && !bmc.cipher17) {
  fail(
    'Error in open session response message : invalid authentication algorithm',
    '',
    'Error: Unable to establish IPMI v2 / RMCP+ session',
  )
}
if (password !== bmc.password) fail('> RAKP 2 HMAC is invalid', 'Error: Unable to establish IPMI v2 / RMCP+ session')
if (bmc.busy > 0) {
  bmc.busy--
  save()
  fail(`Unable to send command: Node busy`)
}
if (bmc.cutsShort) {
  process.stdout.write('Chassis Po')
  process.exit(0)
}

const commands = {
  'chassis power status': () => `Chassis Power is ${bmc.power}`,
  'chassis power on': () => change('on', 'Up/On'),
  'chassis power off': () => change('off', 'Down/Off'),
  'chassis power soft': () => change('off', 'Soft'),
  'chassis power reset': () => 'Chassis Power Control: Reset',
  'chassis bootparam get 5': () =>
    ` Boot Flags :\n   - Options apply to only next boot\n   - BIOS ${bmc.uefi ? 'EFI' : 'PC Compatible (legacy)'} boot \n   - Boot Device Selector : ${bmc.boot}`,
  'raw 0x00 0x08 0x03 0x08': () => {
    if (bmc.noRaw) fail('Unable to send RAW command (channel=0x0 netfn=0x0 lun=0x0 cmd=0x8 rsp=0xc1): Invalid command')
    bmc.keepsFlags = true
    return ''
  },
  'sel elist': () => bmc.sel,
  'sdr list all': () => bmc.sensors,
  'fru print 0': () => bmc.fru,
  'lan print 1': () => bmc.lan,
  'mc reset cold': () => 'Sent cold reset command to MC',
}
function change(to, said) {
  if (bmc.power === to) fail('Set Chassis Power Control failed: Command not supported in present state')
  bmc.power = to
  return `Chassis Power Control: ${said}`
}
const [, device, , chosen = ''] = /^chassis bootdev (\w+)( options=(\S+))?$/.exec(command) ?? []
if (device) {
  bmc.boot = { pxe: 'Force PXE', disk: 'Force Boot from default Hard-Drive', none: 'No override' }[device]
  bmc.uefi = chosen.split(',').includes('efiboot')
  save()
  console.log(`Set Boot Device to ${device}`)
} else if (Object.hasOwn(commands, command)) {
  const answer = commands[command]()
  save()
  if (answer) console.log(answer)
} else fail(`Invalid command: ${command}`)
