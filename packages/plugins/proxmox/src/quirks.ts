import { defineQuirks } from '@contractor/driver'

/** What Proxmox VE does that surprises; each row has a law of the same name in `test/proxmox.test.ts`. */
export const quirks = defineQuirks([
  {
    name: 'task-fails-behind-200',
    does: 'It answers 200 with the id of a task, which fails later.',
    remedy: 'The task is followed to its end, and its exit status is the call’s, with the end of its log.',
  },
  {
    name: 'warnings-are-success',
    does: 'A task that has done all ends with `WARNINGS: 1`, and not with `OK`.',
    remedy: 'That is a good end.',
  },
  {
    name: 'words-in-the-reason-phrase',
    does: 'What is wrong stands beside the status; the body is `{"data":null}`, or says which parameters are wrong.',
    remedy: 'Messages have both.',
  },
  {
    name: 'id-not-reserved',
    does: 'The next free id may be another’s when it is used, and is called free still.',
    remedy: 'The next one is tried; the other machine is left alone.',
  },
  {
    name: 'id-given-to-another',
    does: 'The id of a machine that is gone is given to another one.',
    remedy:
      'A machine is ours by the mark in its description, or its name where it has no mark: never by its id alone.',
  },
  {
    name: 'locked-by-a-backup',
    does: 'It refuses changes while a machine is locked (backup, snapshot, migrate …).',
    remedy: 'That may be tried again, and is.',
  },
  {
    name: 'lock-file-taken',
    does: 'A task fails since another one works on the same machine.',
    remedy: 'One at a time is begun for each machine; what others do is waited for.',
  },
  {
    name: 'nameless-while-it-is-made',
    does: 'A machine that is being made has neither name nor description until its task is at its end.',
    remedy:
      'What is slow is done to one that is there already, small and with its mark; a repeated call waits for what was begun.',
  },
  {
    name: 'clone-is-the-templates-task',
    does: 'The task of a clone is told as the template’s, and not as the new machine’s.',
    remedy: 'A repeated call waits for all clones that its user has begun.',
  },
  {
    name: 'locked-by-a-node-that-broke-down',
    does: 'A machine whose making broke off with its node stays, with the lock `create` and nothing that says whose it is.',
    remedy: 'It is left alone, and another one is made.',
  },
  {
    name: 'not-set-up',
    does: 'A machine that was made may not have been set up yet, when the answer is lost.',
    remedy: 'Its mark says that it is not whole: the same call goes on with it, and another one removes it.',
  },
  {
    name: 'no-guest-agent',
    does: 'It answers 500 to a question for the guest’s agent, where there is none or it does not run.',
    remedy: 'The addresses are not known, and everything else is.',
  },
  {
    name: 'ticket-expires',
    does: 'It answers 401 in the middle: a ticket is good for two hours.',
    remedy: 'One logs in again, once. A token does not expire so.',
  },
  {
    name: 'second-factor',
    does: 'It takes a password and gives half a ticket, which asks for a second factor.',
    remedy: 'That is an error which says to use a token.',
  },
  {
    name: 'node-does-not-answer',
    does: 'It answers 595 or 596 for a node that is off, whatever that is.',
    remedy: 'That is unreachable, and may be tried again.',
  },
  {
    name: 'shutdown-without-acpi',
    does: 'A guest that heeds no ACPI lets the shutdown’s task fail, and the machine is locked as long as that goes on.',
    remedy: 'It has less time than an attempt, and is not waited for: the state is looked at.',
  },
  {
    name: 'stop-only-asked-for',
    does: 'The task that stops a machine under high availability ends before that has stopped it.',
    remedy: 'It is waited until it is off, before it is removed.',
  },
  {
    name: 'name-not-listed-yet',
    does: 'A machine that was just made is listed without its name for some seconds.',
    remedy: 'One without a name is looked at.',
  },
  {
    name: 'machine-moves',
    does: 'A machine is on another node between two requests.',
    remedy: 'It is looked for again.',
  },
  {
    name: 'keys-encoded-twice',
    does: 'SSH keys have to be encoded as in a URL, besides the encoding of the form.',
    remedy: 'They are.',
  },
  {
    name: 'disks-only-grow',
    does: 'It refuses to make a disk smaller than its template’s.',
    remedy: 'A larger one stays, which is logged.',
  },
])
