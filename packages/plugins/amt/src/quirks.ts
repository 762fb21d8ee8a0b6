import { defineQuirks } from '@contractor/driver'

/** What Intel AMT does that surprises; each row has a law of the same name in `test/amt.test.ts`. */
export const quirks = defineQuirks([
  {
    name: 'asleep-at-first',
    does: 'Its management engine sleeps, and refuses the first connection, which wakes it.',
    remedy: 'That may be tried again, and is.',
  },
  {
    name: 'nonce-goes-stale',
    does: 'It takes a nonce for some requests only, and says then that it is stale.',
    remedy: 'The request is sent again with the new one. Another refusal is a wrong password.',
  },
  {
    name: 'closes-after-asking',
    does: 'It closes the connection with the answer that asks who is there.',
    remedy: 'Another one is opened.',
  },
  {
    name: 'sleep-is-neither',
    does: 'A machine that sleeps, or hibernates, is neither on nor off.',
    remedy: 'Its state is unknown, so that it is switched on, and off.',
  },
  {
    name: 'off-in-several-words',
    does: 'It says 6, 8, 12 or 13 of a machine that is off.',
    remedy: 'All of them are off.',
  },
  {
    name: 'on-while-it-restarts',
    does: 'It says 5, 9 or 10 of a machine that restarts.',
    remedy: 'That is on: it needs nobody who switches it on.',
  },
  {
    name: 'reset-does-nothing',
    does: 'It takes a reset of what is off, and does nothing.',
    remedy: 'A machine that is off is not reset.',
  },
  {
    name: 'refuses-what-is-so',
    does: 'It fails with 2 or 4097 where the state is the wanted one.',
    remedy: 'The state is read again: where it is as wanted, that was success.',
  },
  {
    name: 'fails-behind-200',
    does: 'It answers 200 to a change that it has not made: its return value says so.',
    remedy: 'Every return value but 0 is an error.',
  },
  {
    name: 'no-soft-shutdown',
    does: 'It cannot ask the operating system to shut down.',
    remedy: 'To switch off is to do it, at the first attempt.',
  },
])
