import { defineQuirks } from '@contractor/driver'

/** What libvirt does that surprises; each row has a law of the same name in `test/libvirt.real.test.ts`. */
export const quirks = defineQuirks([
  {
    name: 'undefine-keeps-nvram',
    does: 'A machine with UEFI cannot be undefined: its variables would be left.',
    remedy: 'It is undefined with them, with what it has saved, and with its snapshots’ descriptions.',
  },
  {
    name: 'volumes-outlive-the-machine',
    does: 'Its disks stay when it is undefined, and are in the way of the next of its name.',
    remedy: 'They are removed first, and the machine last: so a call that is lost in between finds what is left.',
  },
  {
    name: 'state-change-lock',
    does: 'While something else is at it, a change of state waits for a lock, and fails for want of it.',
    remedy: 'That may be tried again, and is; one Task at a time is at a machine.',
  },
  {
    name: 'started-by-somebody-else',
    does: 'A start of what runs already, or a stop of what has ended, is an error.',
    remedy: 'The state is read again: where it is as wanted, that was success.',
  },
  {
    name: 'half-made',
    does: 'A call that is killed leaves a machine without disks.',
    remedy: 'Its UUID is made of the call’s id: the repeated call finds it, and makes the disks that are missing.',
  },
  {
    name: 'volume-in-the-way',
    does: 'There is a volume already of the name that a disk is to have.',
    remedy: 'It is seen before anything is made, and left as it is: an error that names it.',
  },
  {
    name: 'no-guest-agent',
    does: 'To ask for addresses fails where the guest has no agent, or is not as far as that.',
    remedy: 'That is no failure: no addresses are known then.',
  },
  {
    name: 'pool-not-active',
    does: 'A storage pool that is defined is not one that can be used.',
    remedy: 'The error says so, and what starts it.',
  },
])
