import { changePower, deviceError, pairMacs } from '@contractor/driver'
import { defineHandlers } from '@contractor/plugin'
import { aws } from '../aws.ts'
import { destroyInstance, powerOf, readPower, sendPower } from './change-instance.ts'
import { createInstance } from './create-instance.ts'
import { type Pace, withEc2 } from './ec2.ts'
import { describeInstances, findInstance, getInstance, isGone, tagOf, toState } from './find-instance.ts'

/** The Tasks of module `aws`, by the EC2 API. */
export const createHandlers = (pace: Pace = { everyMs: 3000 }) =>
  defineHandlers(aws, {
    create: (wanted, context) => withEc2(wanted, context, pace, ec2 => createInstance(ec2, wanted)),
    set_power: ({ action, ...wanted }, context) =>
      withEc2(wanted, context, pace, async ec2 => {
        const found = await readPower(ec2, wanted)
        return changePower(action, { read: async () => powerOf(found), send: what => sendPower(ec2, found, what) })
      }),
    power_state: (wanted, context) =>
      withEc2(wanted, context, pace, async ec2 => ({ state: powerOf(await readPower(ec2, wanted)) })),
    state: (wanted, context) => withEc2(wanted, context, pace, async ec2 => toState(await findInstance(ec2, wanted))),
    interfaces: ({ locations, ...wanted }, context) =>
      withEc2(wanted, context, pace, async ec2 => {
        const found = await getInstance(ec2, wanted)
        const macs = toState(found).interfaces.map(one => one.mac)
        if (macs.length >= locations.length) return { map: pairMacs(locations, macs) }
        const words = `instance ${found.InstanceId} has ${macs.length} interfaces, and its Foundation ${locations.length}`
        throw deviceError('DEVICE_REFUSED', ec2.name, words)
      }),
    destroy: (wanted, context) => withEc2(wanted, context, pace, ec2 => destroyInstance(ec2, wanted)),
    list: (connection, context) =>
      withEc2(connection, context, pace, async ec2 => {
        const all = (await describeInstances(ec2, {})).filter(one => !isGone(one))
        const instances = all.flatMap(one => {
          const { id, ...seen } = toState(one)
          return id === null ? [] : [{ ...seen, id, name: tagOf(one, 'Name') ?? null }]
        })
        return { region: await ec2.region(), instances }
      }),
  })

export const handlers = createHandlers()
