import { defineQuirks } from '@contractor/driver'

/** What Docker daemons do that surprises; each has a law of the same name in `test/docker.real.test.ts`. */
export const quirks = defineQuirks([
  {
    name: 'pull-fails-in-its-stream',
    does: 'A pull answers 200, and says in its stream, later, that it has failed.',
    remedy: 'The stream is read to its end, and an error in it is the pull’s.',
  },
  {
    name: 'start-with-a-taken-port',
    does: 'A container whose host port is taken is made without a word, and fails as it starts; some stay "created".',
    remedy: 'After a start it is looked whether it runs, and has all its ports.',
  },
  {
    name: 'ends-at-once',
    does: 'A start is good, and the container has ended a moment later.',
    remedy: 'It is looked at again a second later; one that has ended is an error, with what it wrote.',
  },
  {
    name: 'failed-create-leaves-a-husk',
    does: 'A container that was half made keeps its name.',
    remedy: 'It carries the call’s id as a label: the repeated call finds it; what a call cannot use it removes.',
  },
  {
    name: 'stopped-is-not-gone',
    does: 'One that has ended is still there, with its name, files and ports to come.',
    remedy: 'Its state is stopped, and gone only where there is none.',
  },
  {
    name: 'grace-longer-than-the-client',
    does: 'A stop answers only after the grace period, which may be longer than the client waits.',
    remedy: 'The client waits for the grace period and a minute.',
  },
  {
    name: 'digest-has-no-tag',
    does: 'An image that was pulled by its digest has no tag, so one that looks for tags pulls it for ever.',
    remedy: 'Images are looked for by the very name that the config has.',
  },
])
