import { defineQuirks } from '@contractor/driver'

/** What Redfish services do that surprises; each row has a law of the same name in `test/redfish.test.ts`. */
export const quirks = defineQuirks([
  {
    name: 'refuses-what-is-so',
    does: 'It answers 400 or 409 to a change of power, and the state is the wanted one.',
    remedy: 'The state is read again: where it is as wanted, that was success.',
  },
  {
    name: 'on-refused-after-off',
    does: 'It refuses to switch on for some seconds after it was switched off.',
    remedy: 'That may be tried again, and is.',
  },
  {
    name: 'boot-refused-during-post',
    does: 'It refuses another boot device while the machine runs its self-test.',
    remedy: 'That may be tried again, and is.',
  },
  {
    name: 'few-sessions',
    does: 'It has room for some sessions only, and keeps those that nobody ends.',
    remedy: 'Each Task logs in once, and ends its session whatever comes of it; one Task at a time speaks to a BMC.',
  },
  {
    name: 'session-lost',
    does: 'It forgets a session, and answers 401 in the middle.',
    remedy: 'One logs in again, once.',
  },
  {
    name: 'no-session-service',
    does: 'It has no sessions.',
    remedy: 'Name and password are sent with each request.',
  },
  {
    name: 'wants-all-boot-fields',
    does: 'It ignores a boot override that lacks its mode, or takes the mode for Legacy.',
    remedy: 'Enabled, Target and Mode are sent together, the mode as it was unless said.',
  },
  {
    name: 'media-in-its-slot',
    does: 'It refuses to insert media where some are in.',
    remedy: 'What is in is ejected first.',
  },
  {
    name: 'empty-etag',
    does: 'It gives an ETag that is empty, and refuses it.',
    remedy: 'An empty one is not sent.',
  },
  {
    name: 'etag-changes',
    does: 'It refuses a change with 412, since something else has changed meanwhile.',
    remedy: 'The resource is read again for each try.',
  },
  {
    name: 'settings-elsewhere',
    does: 'It takes changes at another place, which @Redfish.Settings names.',
    remedy: 'They are sent there.',
  },
  {
    name: 'redirects-changes',
    does: 'It answers 308 to a request that is no GET.',
    remedy: 'It is sent to that place, with its method and body, on the same device only.',
  },
  {
    name: 'unknown-system',
    does: 'A system that it does not have makes it show all.',
    remedy: 'A system is one of its members, or an error that names those.',
  },
  {
    name: 'no-graceful-shutdown',
    does: 'It does not know GracefulShutdown.',
    remedy: 'Its allowable values are read: the power button is pushed, or what is not supported is an error.',
  },
])
