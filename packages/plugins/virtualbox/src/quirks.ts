import { defineQuirks } from '@contractor/driver'

/** What VirtualBox does that surprises; each row has a law of the same name in `test/virtualbox.test.ts`. */
export const quirks = defineQuirks([
  {
    name: 'locked-after-power-off',
    does: 'A machine that was switched off keeps its session’s lock for seconds, and refuses to be changed or removed.',
    remedy: 'That may be tried again, and is.',
  },
  {
    name: 'started-by-somebody-else',
    does: 'A start of what somebody else has just started fails with a lock error.',
    remedy: 'Its state is read again: where it is on, that was success.',
  },
  {
    name: 'files-outlive-the-machine',
    does: 'A call that is killed leaves a settings file that no machine is registered for, and the name is taken.',
    remedy:
      'Where it carries this call’s UUID it is registered and gone on with; another’s is an error that names the file.',
  },
  {
    name: 'half-made',
    does: 'A call that is killed leaves a machine without disks or ports, or a disk that is in no machine.',
    remedy: 'Its UUID is made of the call’s id, so that the repeated call goes on with it; a loose disk is made anew.',
  },
  {
    name: 'saved-is-off',
    does: 'A machine whose state is saved is neither running nor changeable, and some commands refuse it.',
    remedy: 'It counts as off; to remove it discards what was saved.',
  },
  {
    name: 'names-are-not-unique',
    does: 'Snapshots of one machine may have the same name.',
    remedy: 'One of that name is not taken a second time.',
  },
  {
    name: 'unknown-network',
    does: 'A port on a network that the host does not have is taken without a word, and fails the start.',
    remedy: 'The start’s error says which.',
  },
])
