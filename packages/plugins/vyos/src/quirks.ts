import { defineQuirks } from '@contractor/driver'

/** What VyOS does that surprises; each row has a law of the same name in `test/vyos.test.ts`. */
export const quirks = defineQuirks([
  {
    name: 'commits-each-request',
    does: 'It commits each request by itself, and refuses what is not whole yet, as a relay without an interface.',
    remedy: 'All commands are in one request: they are done together, or none is.',
  },
  {
    name: 'exists-already',
    does: 'Some versions refuse to set what is so already.',
    remedy: 'Only what is not so yet is sent.',
  },
  {
    name: 'deletes-what-is-not-there',
    does: 'It refuses to delete what is not there.',
    remedy: 'Such a command is left out.',
  },
  {
    name: 'commit-in-progress',
    does: 'It refuses while somebody else commits, or has the configuration open.',
    remedy: 'That may be tried again, and is.',
  },
  {
    name: 'cuts-itself-off',
    does: 'A commit that changes its own web server ends the connection, with no answer.',
    remedy: 'It is looked again: what is so is done.',
  },
  {
    name: 'empty-is-an-error',
    does: 'It answers 400 to a question for a path that is empty.',
    remedy: 'There is none: that is an answer.',
  },
  {
    name: 'forgets-at-its-next-start',
    does: 'What was committed is lost at its next start.',
    remedy: 'With `save` it is kept. Without, that is the caller’s.',
  },
])
