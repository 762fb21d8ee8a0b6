import { z } from 'zod'
import { isStorable } from '../primitives/text.ts'
import { findIp, formatIp } from '../value/ip.ts'
import { macText } from '../value/mac.ts'

/**
 * What a machine reports of itself, and what a Foundation keeps of that as its id map. Whatever is not named here is
 * left out, not refused: a newer image may tell more than this version knows. What is named must be right, and is
 * limited, since machines report without a token: of a machine's report `readReport` leaves out what is not, of what an
 * operator gives it is refused.
 */

/** Of a whole report, as JSON. */
const mostCharacters = 256 * 1024

const text = z
  .string()
  .trim()
  .max(255, 'must be 255 characters at the most')
  .refine(written => !/\p{Cc}/u.test(written), 'must be without control characters')
  .refine(isStorable, 'must be without halves of characters')
  .optional()
const count = z.number().int().min(0).max(1_000_000).optional()
const bytes = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional()

/** What is no MAC of a card (a loopback's zeros, the 20 bytes of InfiniBand) is as good as none. */
const mac = z
  .string()
  .max(100, 'must be 100 characters at the most')
  .transform(written => macText.safeParse(written).data)
  .optional()

/** The same for addresses: a BMC without one reports 0.0.0.0, or words. */
const ip = z
  .string()
  .max(100, 'must be 100 characters at the most')
  .transform(written => {
    const found = findIp(written)
    return found && found.value !== 0n ? formatIp(found) : undefined
  })
  .optional()

/** PCI's numbers, as lspci or sysfs writes them; kept in lower case, without `0x`. */
const hex = z
  .string()
  .max(20, 'must be 20 characters at the most')
  .regex(/^(0x)?[0-9a-f]+$/i, 'must be hexadecimal')
  .transform(written => written.toLowerCase().replace(/^0x/, ''))
  .optional()

export const hardware = z
  .object({
    /** Of the Structure that it is installed as, where its kernel command line says so. As good as a password. */
    configUuid: z.guid().toLowerCase().optional(),
    /** The card from which it has booted. */
    bootMac: mac,
    system: z
      .object({
        manufacturer: text,
        product: text,
        version: text,
        serial: text,
        uuid: text,
        family: text,
        sku: text,
      })
      .optional(),
    baseboard: z.object({ manufacturer: text, product: text, version: text, serial: text, asset: text }).optional(),
    chassis: z.object({ manufacturer: text, type: text, version: text, serial: text, asset: text }).optional(),
    bios: z.object({ vendor: text, version: text, date: text }).optional(),
    bmc: z.object({ mac, serial: text, address: ip, manufacturer: text, firmware: text }).optional(),
    cpus: z
      .array(z.object({ socket: text, vendor: text, model: text, cores: count, threads: count }))
      .max(1024, 'must be 1024 at the most')
      .optional(),
    memory: z
      .object({
        totalBytes: bytes,
        modules: z
          .array(z.object({ slot: text, sizeBytes: bytes, manufacturer: text, part: text, serial: text, type: text }))
          .max(1024, 'must be 1024 at the most')
          .optional(),
      })
      .optional(),
    pciDevices: z
      .array(
        z.object({
          address: text,
          vendorId: hex,
          deviceId: hex,
          classId: hex,
          subsystemVendorId: hex,
          subsystemId: hex,
          /** In words. */
          vendor: text,
          device: text,
          driver: text,
        }),
      )
      .max(2048, 'must be 2048 at the most')
      .optional(),
    disks: z
      .array(
        z.object({
          name: text,
          model: text,
          vendor: text,
          serial: text,
          firmware: text,
          sizeBytes: bytes,
          rotational: z.boolean().optional(),
          /** How it is attached: nvme, sata, sas, … */
          type: text,
        }),
      )
      .max(2048, 'must be 2048 at the most')
      .optional(),
    networkInterfaces: z
      .array(
        z.object({
          name: text,
          mac,
          speedMbps: count,
          driver: text,
          /** Whether the wire is up. */
          link: z.boolean().optional(),
          /** As the BluePrint names the port; the place on the PCI bus where the firmware has no better name. */
          physicalLocation: text,
          /** What the switch at the other end says of itself. */
          lldp: z.object({ chassisId: text, systemName: text, portId: text, portDescription: text }).optional(),
        }),
      )
      .max(512, 'must be 512 at the most')
      .optional(),
  })
  .refine(report => JSON.stringify(report).length <= mostCharacters, `must be ${mostCharacters} characters at the most`)
  .meta({ id: 'Hardware' })
export type Hardware = z.output<typeof hardware>
