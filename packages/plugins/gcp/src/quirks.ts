import { defineQuirks } from '@contractor/driver'

/** What Compute Engine does that surprises; each row has a law of the same name in `test/compute.test.ts`. */
export const quirks = defineQuirks([
  {
    name: 'failure-in-a-200',
    does: 'A request is answered with 200 and an operation, which fails later; that is answered with 200 too.',
    remedy: 'Operations are looked at until they are done, and an error in one is the failure.',
  },
  {
    name: 'zone-is-exhausted',
    does: 'That a zone has no such machines left is said by the operation, as 503.',
    remedy: 'That is DEVICE_FULL, and not tried again at once.',
  },
  {
    name: 'limits-as-403',
    does: 'A quota that is used up and too many requests are both 403, as what is forbidden is.',
    remedy: 'The reason tells: too many requests pass, a quota is DEVICE_FULL, and others are refused.',
  },
  {
    name: 'same-id-same-failure',
    does: 'For a request id that it knows it gives the operation of then, also one that has failed.',
    remedy: 'Where that passes, the next id is made of the failed operation, and the machine is asked for anew.',
  },
  {
    name: 'made-is-not-running',
    does: 'The operation is done, and the machine is still staging.',
    remedy: 'It is waited until it runs; one that ends instead is a failure, and is deleted.',
  },
  {
    name: 'operation-forgotten',
    does: 'It does not know an operation any more, or not yet.',
    remedy: 'What the operation was for is looked at instead.',
  },
  {
    name: 'terminated-is-off',
    does: 'It calls TERMINATED what is stopped.',
    remedy: 'That is off; gone is what it does not find.',
  },
  {
    name: 'suspended-is-resumed',
    does: 'It refuses to start what is suspended.',
    remedy: 'That is resumed.',
  },
  {
    name: 'refused-on-the-way',
    does: 'It refuses to start what is stopping: resourceNotReady.',
    remedy: 'That may be tried again, and is.',
  },
  {
    name: 'stop-has-no-id',
    does: 'A second stop with the request id of the first one would be the first one.',
    remedy: 'Power is asked for without an id; what is so already is not asked for.',
  },
  {
    name: 'no-macs',
    does: 'It does not show MACs.',
    remedy: 'get_interface_map() says so: DEVICE_UNSUPPORTED.',
  },
  {
    name: 'labels-have-no-dots',
    does: 'Labels are small letters, digits, _ and -, 63 at the most; a locator may be more.',
    remedy: 'Such a locator is told by its hash.',
  },
  {
    name: 'addresses-change',
    does: 'A machine that was off has another external address.',
    remedy: 'get_ip_address_map() reads and keeps them anew.',
  },
  {
    name: 'token-over',
    does: 'It answers 401 in the middle of a long wait, since the token is over.',
    remedy: 'Another one is asked for, once.',
  },
  {
    name: 'api-is-off',
    does: 'A new project has no Compute Engine API, which is 403.',
    remedy: 'The message says that it is to be enabled.',
  },
  {
    name: 'clock-is-in-the-token',
    does: 'Who gives tokens calls an assertion of a wrong clock an invalid grant.',
    remedy: 'Its words tell, and the message says that the clock is wrong.',
  },
  {
    name: 'empty-zones',
    does: 'The list of all zones has one entry for each, most of them with a warning in place of a list, in pages.',
    remedy: 'Those are passed over, and all pages are read.',
  },
])
