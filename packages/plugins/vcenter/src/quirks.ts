import { defineQuirks } from '@contractor/driver'

/** What vSphere does that surprises; each row has a law of the same name in `test/vcenter.test.ts`. */
export const quirks = defineQuirks([
  {
    name: 'task-fails-later',
    does: 'It answers with a task, which fails later.',
    remedy: 'The task is followed to its end, and its fault is the call’s.',
  },
  {
    name: 'sessions-are-few',
    does: 'It keeps sessions that nobody ends for half an hour, and has room for some only.',
    remedy: 'Each Task logs in once, and logs out whatever comes of it.',
  },
  {
    name: 'session-lost',
    does: 'It forgets a session, and says NotAuthenticated in the middle.',
    remedy: 'One logs in again, once.',
  },
  {
    name: 'lists-in-pages',
    does: 'It gives the beginning of a long list, and a token for what follows.',
    remedy: 'All pages are read.',
  },
  {
    name: 'names-are-escaped',
    does: 'It writes %2f for a slash in a name, as for % and the backslash.',
    remedy: 'Names are read so.',
  },
  {
    name: 'says-nothing-while-it-is-made',
    does: 'A machine that is being made has a name, which is taken, and no configuration.',
    remedy: 'A repeated call waits for what was begun; if it is of that call, it is the answer.',
  },
  {
    name: 'made-and-not-set-up',
    does: 'A machine that was made may not have been set up, when the answer is lost.',
    remedy: 'Its mark says that it is not whole: the repeated call goes on with it.',
  },
  {
    name: 'power-as-it-is',
    does: 'It says InvalidPowerState where somebody was quicker.',
    remedy: 'The state is read again: where it is as wanted, that was success.',
  },
  {
    name: 'no-tools',
    does: 'It cannot shut down a guest that has no tools.',
    remedy: 'Such a machine is switched off.',
  },
  {
    name: 'waits-for-an-answer',
    does: 'A machine asks something, and its task stands still.',
    remedy: 'The question is looked for while a task goes on, and is the error.',
  },
  {
    name: 'suspended-is-neither',
    does: 'A machine is suspended.',
    remedy: 'It counts as off: it is switched on, and not off.',
  },
  {
    name: 'distributed-port-groups',
    does: 'Port groups of a distributed switch are not named by their name.',
    remedy: 'An adapter names their key, and the uuid of their switch.',
  },
  {
    name: 'disks-only-grow',
    does: 'It refuses to make a disk smaller than its template’s.',
    remedy: 'A larger one stays, which is logged.',
  },
  {
    name: 'licence-for-reading',
    does: 'A host with the free licence refuses all changes by RestrictedVersion.',
    remedy: 'That is an error that says so, and not tried again.',
  },
  {
    name: 'host-has-no-templates',
    does: 'A single ESX host has no templates.',
    remedy: 'To make one there does nothing.',
  },
  {
    name: 'lease-must-be-ended',
    does: 'A lease for disks that nobody ends keeps its machine locked for minutes.',
    remedy: 'It is ended, or given back where that failed.',
  },
])
