import { defineQuirks } from '@contractor/driver'

/** What Debian and its services do that no manual says in the first place; each row with a law in the tests. */
export const quirks = defineQuirks([
  {
    name: 'path-without-sbin',
    does: 'Who logs in without a terminal has no /usr/sbin in PATH, where haproxy, nginx and named-checkconf are.',
    remedy: 'Every command has a PATH of its own.',
  },
  {
    name: 'no-systemd',
    does: 'In a container there is no systemd, and systemctl, where it is there, cannot reach it.',
    remedy: 'Without /run/systemd/system, services are spoken to by `service`.',
  },
  {
    name: 'update-fails-with-0',
    does: '`apt-get update` ends with 0 when no index could be fetched, and only warns.',
    remedy: 'Its words are kept, and told where the installation then fails.',
  },
  {
    name: 'interrupted-dpkg',
    does: 'After an installation that was cut off, apt-get refuses everything until dpkg has been told to go on.',
    remedy: '`dpkg --configure -a` comes before every installation.',
  },
  {
    name: 'starts-and-ends',
    does: 'A service is said to have been started, and ends a moment later with what it reads.',
    remedy:
      'It is looked at again after a second; where it is gone, the files of before are put back and it is started with them.',
  },
  {
    name: 'reload-keeps-silent',
    does: '`named` is said to have been reloaded well with a bad zone: it serves the old one until its next start, and then none.',
    remedy: 'A command checks the files first, and they are put back where it fails.',
  },
  {
    name: 'file-is-a-link',
    does: 'A file of the package may be a symbolic link, as the default site of nginx: to write it changes another file.',
    remedy: 'The link itself is replaced, kept, and put back in the end.',
  },
  {
    name: 'service-holds-the-channel',
    does: 'A service that an init script starts may keep the output of the login, which then never ends.',
    remedy: 'What starts services writes to a file, which is read afterwards.',
  },
])
