import { z } from 'zod'
import { numberRequirement, sizeRequirement, textRequirement } from './requirement.ts'

/**
 * A validation template: what hardware must show before a Foundation is located. Keys are one word each, so that they
 * are the same in JSON and in resource files.
 */
const section = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: issue => {
      if (issue.code !== 'unrecognized_keys') return undefined
      const keys = (issue.keys as string[]).map(key => `'${key}'`).join(', ')
      return `unknown key ${keys}; known are ${Object.keys(shape).join(', ')}`
    },
  })

/** Named by the template's author, so that a difference can say which of them is short, and an heir can replace one. */
const groups = <T extends z.ZodType>(group: T) =>
  z
    .record(
      z
        .string()
        .regex(/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,39}$/, 'must be letters, digits, - and _, 40 characters at the most'),
      group,
    )
    .refine(all => Object.keys(all).length <= 100, 'must be 100 at the most')

const text = textRequirement.optional()
const number = numberRequirement.optional()
const size = sizeRequirement.optional()

const pciGroup = section({
  /** How many such devices; one at least unless said. */
  count: number,
  /** The ids as lspci prints them, in hexadecimal. A class may be its beginning: `02` is every network controller. */
  vendor: text,
  device: text,
  class: text,
  subvendor: text,
  subdevice: text,
  /** The device in words. */
  name: text,
  driver: text,
})

const diskGroup = section({
  count: number,
  size,
  model: text,
  vendor: text,
  firmware: text,
  type: text,
  rotational: z.boolean().optional(),
  name: text,
})

const portGroup = section({
  count: number,
  /** In Mbit/s. */
  speed: number,
  driver: text,
  name: text,
  location: text,
  link: z.boolean().optional(),
})

export const hardwareTemplate = section({
  system: section({
    manufacturer: text,
    product: text,
    version: text,
    serial: text,
    uuid: text,
    family: text,
    sku: text,
  }).optional(),
  baseboard: section({ manufacturer: text, product: text, version: text, serial: text, asset: text }).optional(),
  chassis: section({ manufacturer: text, type: text, version: text, serial: text, asset: text }).optional(),
  bios: section({ vendor: text, version: text, date: text }).optional(),
  bmc: section({ manufacturer: text, serial: text, firmware: text }).optional(),
  /** `cores` and `threads` of all of them together; `vendor` and `model` of each. */
  cpus: section({ count: number, cores: number, threads: number, vendor: text, model: text }).optional(),
  /** All of it, and how many modules there are. */
  memory: section({ total: size, modules: number }).optional(),
  pci: groups(pciGroup).optional(),
  disks: groups(diskGroup).optional(),
  ports: groups(portGroup).optional(),
}).meta({ id: 'HardwareTemplate' })
export type HardwareTemplate = z.output<typeof hardwareTemplate>
export type PciGroup = z.output<typeof pciGroup>
export type DiskGroup = z.output<typeof diskGroup>
export type PortGroup = z.output<typeof portGroup>
