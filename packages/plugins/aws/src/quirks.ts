import { defineQuirks } from '@contractor/driver'

/** What EC2 does that surprises; each row has a law of the same name in `test/ec2.test.ts`. */
export const quirks = defineQuirks([
  {
    name: 'not-found-after-create',
    does: 'It does not know an instance that it has just made.',
    remedy: 'After a create, not found means to wait.',
  },
  {
    name: 'tags-not-seen-yet',
    does: 'It does not find an instance by its tags for some seconds.',
    remedy: 'The repeated call has the same client token, for which EC2 gives the same instance.',
  },
  {
    name: 'token-with-other-parameters',
    does: 'It refuses a client token that it knows, where any parameter has changed.',
    remedy: 'The token is a hash of the call and of all that is asked for.',
  },
  {
    name: 'tags-are-its-own-alone',
    does: 'Volumes and network interfaces have no tags of the instance that they were made with.',
    remedy: 'All three are tagged in the request that makes them, and not by another one later.',
  },
  {
    name: 'capacity-as-500',
    does: 'That it has no capacity is a 500, which the SDK asks again at once, several times.',
    remedy: 'The SDK asks once, and the Job stops: DEVICE_FULL.',
  },
  {
    name: 'quota-is-vcpus',
    does: 'The quota is of vCPUs by family, and not of instances.',
    remedy: 'Any limit of the account is DEVICE_FULL, in its words.',
  },
  {
    name: 'throttled',
    does: 'It refuses requests above a rate that the whole account shares.',
    remedy: 'A look is made later, ever more slowly; a Task is tried again after ten seconds or what it says.',
  },
  {
    name: 'terminated-is-shown',
    does: 'It shows what is terminated for an hour, with its tags.',
    remedy: 'That is gone: nobody works on it, and a new one may be made.',
  },
  {
    name: 'shutting-down-takes-time',
    does: 'It answers a termination at once, and is at it for minutes.',
    remedy: 'destroy() is done when the instance is terminated.',
  },
  {
    name: 'refused-on-the-way',
    does: 'It refuses to start what is stopping: IncorrectInstanceState.',
    remedy: 'That may be tried again, and is.',
  },
  {
    name: 'ends-instead-of-running',
    does: 'It answers that it makes an instance, which then ends instead of running: no room for its volumes, or no key for them.',
    remedy: 'The reason of its state is the failure.',
  },
  {
    name: 'address-later',
    does: 'An instance runs, and its elastic address is not seen on it yet.',
    remedy: 'It is waited for.',
  },
  {
    name: 'address-moves',
    does: 'It takes an elastic address from another instance, without a word.',
    remedy: 'It is looked first whose it is, and reassociation is forbidden.',
  },
  {
    name: 'encoded-refusal',
    does: 'What a role may not do is said in a message that only those can decode who may.',
    remedy: 'The whole message is logged, and its plain part is the failure.',
  },
  {
    name: 'clock-skew',
    does: 'It refuses requests that were signed by a clock five minutes wrong.',
    remedy: 'The request is signed once more, by the clock of the answer.',
  },
  {
    name: 'image-of-elsewhere',
    does: 'An image is of one region, and is not found, malformed or unavailable in another.',
    remedy: 'Each of these is NOT_FOUND.',
  },
  {
    name: 'empty-pages',
    does: 'Lists come in pages, of which one may be empty before the last.',
    remedy: 'They are read until no page follows.',
  },
  {
    name: 'page-of-a-proxy',
    does: 'A proxy answers 200 with a page of its own, in which the SDK finds no instances.',
    remedy: 'What has no list in it is no answer: nothing is concluded from it.',
  },
])
