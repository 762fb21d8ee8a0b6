/**
 * How the command lines of switches are spoken to, by maker: a new one is a row. What reads and changes ports and VLANs is the same for
 * all of them, since that are the IETF's and IEEE's own MIBs.
 */
export interface SwitchModel {
  readonly name: string
  /** The command that shows the whole configuration. */
  readonly show: string
  /** What is typed before lines of configuration, and after them. */
  readonly before: readonly string[]
  readonly after: readonly string[]
  /** What makes the changes stay when it starts anew. */
  readonly save: readonly string[]
  /** How it says that a line is none. */
  readonly refuses: RegExp
}

const cisco = /^\s*% ?(invalid|incomplete|ambiguous|error|bad|unknown)|^\s*error\b/i

export const models = [
  {
    name: 'ios',
    show: 'show running-config',
    before: ['terminal length 0', 'configure terminal'],
    after: ['end'],
    save: ['write memory'],
    refuses: cisco,
  },
  {
    name: 'eos',
    show: 'show running-config',
    before: ['enable', 'configure terminal'],
    after: ['end'],
    save: ['write memory'],
    refuses: cisco,
  },
  {
    name: 'nxos',
    show: 'show running-config',
    before: ['terminal length 0', 'configure terminal'],
    after: ['end'],
    save: ['copy running-config startup-config'],
    refuses: cisco,
  },
  {
    name: 'junos',
    show: 'show configuration | display set | no-more',
    before: ['configure exclusive'],
    // A candidate that cannot be committed is left behind otherwise.
    after: ['commit', 'rollback 0', 'exit'],
    save: [],
    refuses: /^\s*(error:|syntax error|unknown command|missing argument)/i,
  },
] as const satisfies readonly SwitchModel[]

export const modelNames = models.map(model => model.name) as [(typeof models)[number]['name']]
