import {
  type DiskGroup,
  type Hardware,
  type HardwareTemplate,
  type Json,
  json,
  type NumberRequirement,
  type PciGroup,
  type PortGroup,
  type SizeRequirement,
  type TextRequirement,
} from '@contractor/contract'
import { z } from 'zod'
import {
  describeRequirement,
  meetsNumber,
  meetsSize,
  meetsText,
  type Requirement,
} from '../../definition/blueprint/requirement.ts'

/** One thing that is not as the template wants it. */
export const difference = z.object({
  /** Where in the template. */
  path: z.string(),
  /** As the template has it. */
  wanted: json,
  /** Null for what was not reported. */
  found: json,
  message: z.string(),
})
export type Difference = z.output<typeof difference>

/** Every difference between what a template wants and what a machine has reported; none when it passes. Pure. */
export function checkHardware(template: HardwareTemplate, report: Hardware): Difference[] {
  return [
    ...(['system', 'baseboard', 'chassis', 'bios', 'bmc'] as const).flatMap(section =>
      checkTexts(section, template[section] ?? {}, report[section] ?? {}),
    ),
    ...checkCpus(template, report),
    ...checkMemory(template, report),
    ...checkGroups('pci', 'PCI device', template.pci, report.pciDevices, pciTests),
    ...checkGroups('disks', 'disk', template.disks, report.disks, diskTests),
    ...checkGroups('ports', 'network port', template.ports, report.networkInterfaces, portTests),
  ]
}

function differs(path: string, wanted: Requirement, found: Json | undefined, shown?: string): Difference {
  const is = found === undefined ? 'was not reported' : `is ${shown ?? describeFound(found)}`
  const message = `${path} ${is}, wanted ${describeRequirement(wanted)}`
  return { path, wanted: wanted as Json, found: found ?? null, message }
}

const describeFound = (found: Json): string =>
  Array.isArray(found) ? found.map(describeFound).join(' and ') : JSON.stringify(found).replaceAll('"', "'")

function checkTexts(
  section: string,
  wanted: Readonly<Record<string, TextRequirement | undefined>>,
  found: Readonly<Record<string, string | undefined>>,
): Difference[] {
  return Object.entries(wanted).flatMap(([key, requirement]) =>
    requirement === undefined || meetsText(requirement, found[key])
      ? []
      : [differs(`${section}.${key}`, requirement, found[key])],
  )
}

function checkCpus({ cpus: wanted }: HardwareTemplate, { cpus: found }: Hardware): Difference[] {
  if (!wanted) return []
  const sum = (of: 'cores' | 'threads') => sumOf(found?.map(cpu => cpu[of]))
  const numbers = { count: found?.length, cores: sum('cores'), threads: sum('threads') }
  const each = (key: 'vendor' | 'model'): Difference[] => {
    const requirement = wanted[key]
    if (requirement === undefined) return []
    const wrong = (found ?? []).map(cpu => cpu[key]).filter(one => !meetsText(requirement, one))
    if (found?.length && !wrong.length) return []
    const reported = [...new Set(wrong)].filter(one => one !== undefined)
    return [differs(`cpus.${key}`, requirement, reported.length ? reported : undefined)]
  }
  const counted = (['count', 'cores', 'threads'] as const).flatMap(key => {
    const requirement = wanted[key]
    if (requirement === undefined || meetsNumber(requirement, numbers[key])) return []
    return [differs(`cpus.${key}`, requirement, numbers[key])]
  })
  return [...counted, ...each('vendor'), ...each('model')]
}

/** Unknown as soon as one of them is. */
function sumOf(numbers: readonly (number | undefined)[] | undefined): number | undefined {
  return numbers?.reduce<number | undefined>(
    (sum, one) => (sum === undefined || one === undefined ? undefined : sum + one),
    0,
  )
}

function checkMemory({ memory: wanted }: HardwareTemplate, { memory: found }: Hardware): Difference[] {
  const { total, modules } = wanted ?? {}
  const moduleCount = found?.modules?.length
  return [
    ...(total === undefined || meetsSize(total, found?.totalBytes)
      ? []
      : [differs('memory.total', total, found?.totalBytes, `${found?.totalBytes} bytes`)]),
    ...(modules === undefined || meetsNumber(modules, moduleCount)
      ? []
      : [differs('memory.modules', modules, moduleCount)]),
  ]
}

/** How each condition of a group is asked of one device. */
type Tests<Group, Device> = {
  [Key in Exclude<keyof Group, 'count'>]-?: (wanted: NonNullable<Group[Key]>, device: Device) => boolean
}
type DeviceOf<Key extends 'pciDevices' | 'disks' | 'networkInterfaces'> = NonNullable<Hardware[Key]>[number]

/** Numbers of PCI are read in any spelling of hexadecimal. */
const hexOf = (wanted: TextRequirement): TextRequirement => {
  const plain = (one: string) => one.toLowerCase().replace(/^0x/, '')
  if (typeof wanted === 'string') return plain(wanted)
  return Array.isArray(wanted) ? wanted.map(plain) : wanted
}

const meetsClass = (wanted: TextRequirement, found: string | undefined): boolean => {
  const hex = hexOf(wanted)
  if (typeof hex === 'object' && !Array.isArray(hex)) return meetsText(hex, found)
  return [hex].flat().some(one => found?.startsWith(one) ?? false)
}

const pciTests: Tests<PciGroup, DeviceOf<'pciDevices'>> = {
  vendor: (wanted, one) => meetsText(hexOf(wanted), one.vendorId),
  device: (wanted, one) => meetsText(hexOf(wanted), one.deviceId),
  class: (wanted, one) => meetsClass(wanted, one.classId),
  subvendor: (wanted, one) => meetsText(hexOf(wanted), one.subsystemVendorId),
  subdevice: (wanted, one) => meetsText(hexOf(wanted), one.subsystemId),
  name: (wanted, one) => meetsText(wanted, one.device),
  driver: (wanted, one) => meetsText(wanted, one.driver),
}

const diskTests: Tests<DiskGroup, DeviceOf<'disks'>> = {
  size: (wanted: SizeRequirement, one) => meetsSize(wanted, one.sizeBytes),
  model: (wanted, one) => meetsText(wanted, one.model),
  vendor: (wanted, one) => meetsText(wanted, one.vendor),
  firmware: (wanted, one) => meetsText(wanted, one.firmware),
  type: (wanted, one) => meetsText(wanted, one.type),
  rotational: (wanted, one) => wanted === one.rotational,
  name: (wanted, one) => meetsText(wanted, one.name),
}

const portTests: Tests<PortGroup, DeviceOf<'networkInterfaces'>> = {
  speed: (wanted, one) => meetsNumber(wanted, one.speedMbps),
  driver: (wanted, one) => meetsText(wanted, one.driver),
  name: (wanted, one) => meetsText(wanted, one.name),
  location: (wanted, one) => meetsText(wanted, one.physicalLocation),
  link: (wanted, one) => wanted === one.link,
}

/** Each group asks how many devices meet all of its conditions; a device may count for several groups. */
function checkGroups<Group extends { count?: NumberRequirement | undefined }, Device>(
  section: string,
  noun: string,
  groups: Readonly<Record<string, Group>> | undefined,
  devices: readonly Device[] | undefined,
  tests: Tests<Group, Device>,
): Difference[] {
  return Object.entries(groups ?? {}).flatMap(([name, { count = { min: 1 }, ...conditions }]) => {
    const asked = Object.entries(conditions as Record<string, Requirement | undefined>).filter(
      (entry): entry is [keyof typeof tests & string, Requirement] => entry[1] !== undefined,
    )
    const meetsAll = (device: Device) => asked.every(([key, wanted]) => tests[key](wanted as never, device))
    const found = devices?.filter(meetsAll).length
    if (meetsNumber(count, found)) return []
    const path = `${section}.${name}`
    const such = asked.map(([key, wanted]) => `${key} ${describeRequirement(wanted)}`).join(', ')
    const is = devices === undefined ? 'were not reported' : `there are ${found} of ${devices.length}`
    const message = `${path}: ${noun}s${such ? ` of ${such}` : ''}: ${is}, wanted ${describeRequirement(count)}`
    return [{ path, wanted: { ...(groups?.[name] as object), count } as Json, found: found ?? null, message }]
  })
}
