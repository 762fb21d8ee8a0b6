import { defineQuirks } from '@contractor/driver'

/** What BMCs do that the specification does not say. Those of `quirkNames` are named by an operator; all others show by themselves. */
export const quirks = defineQuirks([
  {
    name: 'slow',
    does: 'It loses commands that come at once after another one, and then its session.',
    remedy: 'Five seconds from one Task to the next; named by the operator, in `ipmi_quirks`.',
  },
  {
    name: 'no-boot-options-raw',
    does: 'It hangs when it is told to keep boot flags for longer than 60 s.',
    remedy: 'That command is left out; named by the operator, in `ipmi_quirks`.',
  },
  {
    name: 'cipher-17-unknown',
    does: 'It knows no cipher suite 17, and says so when a session is opened.',
    remedy:
      'The session is opened with cipher suite 3. For any other failure it is not: a wrong password would lock the account.',
  },
  {
    name: 'hangs',
    does: 'ipmitool waits for it for ever.',
    remedy: 'It is killed after 30 s, and that is a failure which may be tried again.',
  },
  {
    name: 'boot-flags-expire',
    does: 'It forgets the boot device after 60 s, before a slow machine has come so far.',
    remedy: 'A raw command (00 08 03 08) turns that off first; one that does not know the command is taken as it is.',
  },
  {
    name: 'boot-device-forgets-uefi',
    does: 'A new boot device makes the machine boot in legacy mode.',
    remedy: 'The flags are read first, and UEFI is asked for again where it was set.',
  },
  {
    name: 'refuses-what-is-so',
    does: 'Power off of what is off is an error to it.',
    remedy: 'The state is read first, and nothing is sent that is so already.',
  },
  {
    name: 'power-flickers',
    does: 'It says that it is off as soon as it was told, and then that it is on.',
    remedy: 'Three readings in a row have to agree.',
  },
  {
    name: 'busy-for-a-moment',
    does: 'It answers "node busy", or has no session to spare, while another one has it.',
    remedy: 'That may be tried again, and is, by the Task’s own rules.',
  },
  {
    name: 'sel-is-huge',
    does: 'Its event log has thousands of entries.',
    remedy: 'The newest are the answer, and all of it is an attachment.',
  },
])

/** Those that do not show by themselves. */
export const quirkNames = ['slow', 'no-boot-options-raw'] as const
