import { defineQuirks } from '@contractor/driver'

/** What Azure does that surprises; each row has a law of the same name in `test/resource-manager.test.ts`. */
export const quirks = defineQuirks([
  {
    name: 'failure-in-a-200',
    does: 'A change is answered with 201 or 202, and fails later; the operation that says so is answered with 200.',
    remedy: 'Operations are looked at until they are over, and an error in one is the failure, by its innermost code.',
  },
  {
    name: 'pace-of-operations',
    does: 'Each answer says when to look again, and who looks earlier is refused in the end.',
    remedy: 'Retry-After is heeded from one look to the next.',
  },
  {
    name: 'location-without-status',
    does: 'Some changes name no operation, but a place that answers 202 until they are over.',
    remedy: 'That is looked at instead.',
  },
  {
    name: 'goes-on-elsewhere',
    does: 'An answer may say to go on at another place.',
    remedy: 'Only at the same one: a token is shown to nobody else.',
  },
  {
    name: 'put-changes-what-is-there',
    does: 'A machine that is there is changed by the request that is to make it.',
    remedy: 'It is made only where there is none: If-None-Match.',
  },
  {
    name: 'failed-machine-stays',
    does: 'A machine that could not be made is there all the same, as Failed, with its interfaces and its disk.',
    remedy: 'They are deleted; a repeated call begins anew.',
  },
  {
    name: 'interface-is-reserved',
    does: 'The interfaces of a machine that could not be made are kept for it for three minutes.',
    remedy: 'That is DEVICE_BUSY, to be tried again then.',
  },
  {
    name: 'parts-stay',
    does: 'With a machine neither its interfaces nor its disk go, and the disk has no tags.',
    remedy: 'The disk is tagged as the machine is made; whatever carries the tags is deleted after the machine.',
  },
  {
    name: 'stopped-is-paid-for',
    does: 'A machine that was shut down from inside is stopped, and its place is kept and paid for.',
    remedy: 'It counts as off; power_off() gives the place back.',
  },
  {
    name: 'power-is-not-told',
    does: 'It says nothing of the power of a machine that is being made, or just now.',
    remedy: 'That is unknown, and looked at again.',
  },
  {
    name: 'mac-comes-late',
    does: 'An interface has no MAC before its machine has started, and writes it with dashes.',
    remedy: 'It is waited for, and told as everywhere.',
  },
  {
    name: 'quota-is-not-allowed',
    does: 'A quota that is used up is a 409 OperationNotAllowed, as other things are.',
    remedy: 'Its words tell: DEVICE_FULL.',
  },
  {
    name: 'no-capacity',
    does: 'That there is no capacity is said by the operation: AllocationFailed, also where a machine that was off is started.',
    remedy: 'Both are awaited: DEVICE_FULL, and not tried again at once.',
  },
  {
    name: 'throttled',
    does: 'It refuses requests above a rate of the subscription, and says for how long.',
    remedy: 'It is heeded, while it is waited and between the attempts of a Task.',
  },
  {
    name: 'busy-with-another',
    does: 'It refuses a change while it is at another one of the same resource.',
    remedy: 'That may be tried again, and is.',
  },
  {
    name: 'token-over',
    does: 'It answers 401 in the middle of a long wait, since the token is over.',
    remedy: 'Another one is asked for, once.',
  },
  {
    name: 'seen-late',
    does: 'A machine is made, and not found for some seconds.',
    remedy: 'It is waited for.',
  },
  {
    name: 'provider-not-registered',
    does: 'A new subscription knows no machines before their provider is registered.',
    remedy: 'The message says what is to be done.',
  },
])
