import { defineQuirks } from '@contractor/driver'

/** What switches do that surprises; each row has a law of the same name in `test/switch.real.test.ts`. */
export const quirks = defineQuirks([
  {
    name: 'two-names',
    does: 'A port has a short name and a long one, and people write either.',
    remedy: 'Both lead to it, in capitals or not; one that there is not is an error that names those that there are.',
  },
  {
    name: 'takes-and-does-nothing',
    does: 'It answers to a change that it was made, and has not made it.',
    remedy: 'What was changed is read again; still as it was is an error.',
  },
  {
    name: 'short-bitmaps',
    does: 'Its bitmaps of ports end with the last port that is in a VLAN.',
    remedy: 'They are made longer where a port behind that is to be in.',
  },
  {
    name: 'bridge-ports-are-not-interfaces',
    does: 'VLANs and MACs are told by numbers of bridge ports, which are not those of interfaces.',
    remedy: 'They are translated by dot1dBasePortIfIndex.',
  },
  {
    name: 'no-table-of-vlans',
    does: 'It tells the MACs that it has heard without VLANs only.',
    remedy: 'The older table of BRIDGE-MIB is read then.',
  },
  {
    name: 'lldp-in-another-order',
    does: 'LLDP numbers ports in yet another way.',
    remedy: 'Its own table of local ports says which is which.',
  },
  {
    name: 'vlan-in-use',
    does: 'It refuses to remove a VLAN that a port is in.',
    remedy: 'That is an error which names those ports.',
  },
  {
    name: 'error-within-the-text',
    does: 'Its command line says that a line is wrong, and goes on; its exit code is good.',
    remedy: 'What it writes is read: a line that it refuses is an error, and nothing is saved.',
  },
])
