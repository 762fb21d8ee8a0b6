import { z } from 'zod'
import { defineNoun } from '../define-noun.ts'
import { method } from '../method.ts'
import { plainName } from '../value/names.ts'

/** What boots or is found by a MAC. */
const machine = z.object({
  mac: z.string(),
  foundation: z.string(),
  /** The real interface that has the MAC. */
  interface: z.string(),
  /** What it is given when it boots. */
  pxe: z.string().nullable(),
})

/** An address that a machine always gets. */
export const dhcpLease = machine.extend({
  ip: z.string(),
  hostname: z.string(),
  domain: z.string().nullable(),
  /** The id of its Structure. */
  structure: z.number().int(),
})
export type DhcpLease = z.output<typeof dhcpLease>

/** Addresses in a row for whoever asks; they all boot the same. */
export const dhcpPool = z.object({ first: z.string(), last: z.string(), pxe: z.string().nullable() })
export type DhcpPool = z.output<typeof dhcpPool>

export const dhcpSubnet = z.object({
  addressBlock: z.string(),
  subnet: z.string(),
  family: z.union([z.literal(4), z.literal(6)]),
  prefix: z.number().int(),
  netmask: z.string().nullable(),
  gateway: z.string().nullable(),
  /**
   * Whether the gateway is outside of the subnet: a client needs a route to it on the wire itself before the one that goes
   * by it (option 121, RFC 3442). False without a gateway.
   */
  gatewayOnLink: z.boolean(),
  /** The smallest of the Networks that carry it, in bytes; null when none does. */
  mtu: z.number().int().nullable(),
  pools: z.array(dhcpPool),
  leases: z.array(dhcpLease),
})
export type DhcpSubnet = z.output<typeof dhcpSubnet>

export const dhcpData = z
  .object({
    site: z.string(),
    /** Of the Site's Zone; of its config value `domain_name` when neither it nor a Site above has one. */
    domain: z.string().nullable(),
    /** The Site's config value `dns_servers`. */
    dnsServers: z.array(z.string()),
    /** One for each AddressBlock of the Site, sorted by name. */
    subnets: z.array(dhcpSubnet),
    /** Machines of the Site that boot from the network and have no lease in its blocks. */
    boots: z.array(machine),
    /** Changes when anything above does. */
    digest: z.string(),
  })
  .meta({ id: 'DhcpData' })
export type DhcpData = z.output<typeof dhcpData>

export const dhcp = defineNoun({
  ...{ name: 'DHCP', path: 'dhcp', part: 'dhcp', key: { name: 'site', schema: plainName } },
  methods: {
    forSite: method({
      ...({ on: 'one', path: '', output: dhcpData } as const),
      summary: 'What a DHCP server of the Site has to know',
    }),
  },
})
