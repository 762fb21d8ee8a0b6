import { deviceError, type PowerState } from '@contractor/driver'
import { ContractorError, isContractorError } from '@contractor/plugin'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { z } from 'zod'
import type { Machine } from '../connection.ts'
import type { Virsh } from './virsh.ts'

/** Under which the mark of our machines stands in their metadata. */
export const nameSpace = 'urn:contractor:foundation'

const attribute = z.string().optional()
const disk = z.object({
  device: attribute,
  source: z.object({ pool: attribute, volume: attribute, file: attribute }).partial().optional(),
  target: z.object({ dev: attribute }).optional(),
})
const port = z.object({ mac: z.object({ address: z.string() }).optional() })

/** What is read of a domain's XML (https://libvirt.org/formatdomain.html). */
const domainXml = z.object({
  domain: z.object({
    name: z.string(),
    uuid: z.string(),
    metadata: z.unknown().optional(),
    vcpu: z.union([z.string(), z.object({ '#text': z.string() })]),
    memory: z.object({ unit: z.string(), '#text': z.string() }),
    devices: z.object({ disk: z.array(disk).default([]), interface: z.array(port).default([]) }),
  }),
})

/** A machine, as libvirt describes it. */
export interface Domain {
  readonly id: string
  readonly name: string
  readonly isOurs: boolean
  readonly cpuCount: number
  /** In MiB. */
  readonly memorySize: number
  /** In their order. */
  readonly macs: readonly string[]
  /** Its disks that are volumes of a pool. */
  readonly volumes: readonly { pool: string; name: string }[]
  /** What is in its drive; null for nothing, undefined where it has none. */
  readonly iso: string | null | undefined
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  isArray: name => name === 'disk' || name === 'interface',
})

export function parseDomain(device: string, text: string): Domain {
  const parsed = XMLValidator.validate(text) === true ? domainXml.safeParse(parser.parse(text)) : undefined
  if (!parsed?.success)
    throw deviceError(
      'DEVICE_ANSWER_INVALID',
      device,
      `its description of a machine cannot be read: ${text.slice(0, 100)}`,
    )
  const { name, uuid, metadata, vcpu, memory, devices } = parsed.data.domain
  const drive = devices.disk.find(one => one.device === 'cdrom')
  return {
    ...{ id: uuid, name, isOurs: JSON.stringify(metadata ?? null).includes(nameSpace) },
    cpuCount: Number(typeof vcpu === 'string' ? vcpu : vcpu['#text']),
    // It always says so in KiB, whatever it was told.
    memorySize: Number(memory['#text']) / 1024,
    macs: devices.interface.flatMap(one => (one.mac ? [one.mac.address] : [])),
    volumes: devices.disk.flatMap(({ device: kind, source }) =>
      kind === 'disk' && source?.pool && source.volume ? [{ pool: source.pool, name: source.volume }] : [],
    ),
    iso: drive && (drive.source?.file ?? null),
  }
}

/** By its UUID or its name. */
export async function findDomain(virsh: Virsh, key: string): Promise<Domain | undefined> {
  try {
    return parseDomain(virsh.name, await virsh.run(['dumpxml', key]))
  } catch (error) {
    if (isContractorError(error, 'NOT_FOUND')) return undefined
    throw error
  }
}

/** The Foundation's machine: that of its UUID, else the one of its name, if that is ours. */
export async function findOwn(virsh: Virsh, { id, name }: Machine): Promise<Domain | undefined> {
  const known = id === null ? undefined : await findDomain(virsh, id)
  if (known) return known
  const named = await findDomain(virsh, name)
  return named?.isOurs ? named : undefined
}

export async function getOwn(virsh: Virsh, machine: Machine): Promise<Domain> {
  const found = await findOwn(virsh, machine)
  if (found) return found
  const message = `${virsh.name}: there is no machine '${machine.name}' that Contractor has made`
  throw new ContractorError('NOT_FOUND', message, { kind: 'machine', id: machine.name })
}

const off = ['shut off', 'crashed']
const on = ['running', 'idle', 'blocked', 'paused', 'in shutdown', 'pmsuspended']

/** What it is at, in libvirt's words, and what that means. */
export async function stateOf(virsh: Virsh, id: string): Promise<{ status: string; power: PowerState }> {
  const status = (await virsh.run(['domstate', id])).trim()
  const power = off.includes(status) ? 'off' : on.includes(status) ? 'on' : 'unknown'
  return { status, power }
}
