import { secret } from '@contractor/contract'
import { type Contractor, createContractor, isContractorError } from '@contractor/core'
import {
  defineComplex,
  defineFoundation,
  defineHandlers,
  defineTaskFunction,
  defineTasks,
  type FunctionContext,
  type Plugin,
} from '@contractor/plugin'
import { describe, expect, expectTypeOf, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { createPostgresDatabase } from '../../../test/databases.ts'

const rack = defineComplex({
  type: 'Rack',
  fields: z.object({ address: z.string(), password: secret(), port: z.number().default(443) }),
})
const tasks = defineTasks({
  press: {
    params: z.object({ address: z.string(), password: secret(), name: z.string() }),
    result: z.object({ pressed: z.boolean() }),
  },
})
const bladeFields = z.object({ slot: z.number().int(), note: z.string().optional() })
const blade = defineFoundation({
  type: 'Blade',
  fields: bladeFields,
  complex: rack,
  tasks,
  functions: {
    press: defineTaskFunction({
      args: z.object({}),
      task: tasks.press,
      params: (_, { foundation }: FunctionContext<z.output<typeof bladeFields>, z.output<typeof rack.fields>>) => ({
        address: foundation.complex?.fields.address ?? '',
        password: foundation.complex?.fields.password ?? '',
        name: foundation.locator,
      }),
      result: z.boolean(),
      value: ({ pressed }) => pressed,
    }),
  },
})
const lamp = defineFoundation({ type: 'Lamp', fields: z.object({ on: z.boolean().optional() }), functions: {} })

async function open() {
  const given: unknown[] = []
  const handlers = defineHandlers(blade, {
    async press(params) {
      given.push(params)
      return { pressed: true }
    },
  })
  const database = await createPostgresDatabase()
  onTestFinished(() => database.drop())
  const contractor = await createContractor({
    database: database.option,
    secretKey: Buffer.alloc(32, 7).toString('base64'),
    plugins: [blade, lamp],
    handlers: [handlers],
  })
  onTestFinished(() => contractor.close())
  await contractor.sites.create({ name: 'lab' })
  await contractor.scripts.put({ name: 'press', source: 'foundation.press()\nmessage( msg=foundation.complex )' })
  await contractor.blueprints.put({ kind: 'foundation', name: 'plain', scripts: { create: 'press' } })
  const base = { site: 'lab', blueprint: 'plain' }
  return { contractor, base, given }
}

describe('the compiler knows of the plugins that were given', () => {
  it('which types of Foundations there are, and their fields', async () => {
    const { contractor, base } = await open()
    const one = await contractor.foundations.create({ ...base, type: 'Lamp', locator: 'one', fields: { on: true } })
    expectTypeOf(one.type).toEqualTypeOf<'Lamp'>()
    expectTypeOf(one.fields.on).toEqualTypeOf<boolean | undefined>()
    await one.update({ fields: { on: null } })
    await contractor.foundations.create({ ...base, type: 'Lamp', locator: 'bare' })

    // @ts-expect-error there is no such type
    await expect(contractor.foundations.create({ ...base, type: 'Lamb', locator: 'two' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    await expect(
      // @ts-expect-error it is no text
      contractor.foundations.create({ ...base, type: 'Lamp', locator: 'two', fields: { on: 'yes' } }),
    ).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
    // @ts-expect-error a Blade has a slot
    await expect(contractor.foundations.create({ ...base, type: 'Blade', locator: 'two' })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    })

    const found = await contractor.foundations.get('one')
    if (found.type === 'Lamp') expectTypeOf(found.fields).toEqualTypeOf<{ on?: boolean | undefined }>()
    else expectTypeOf(found.fields.slot).toEqualTypeOf<number>()
  })

  it('which types of Complexes there are, and their fields', async () => {
    const { contractor } = await open()
    const fields = { address: '10.0.0.1', password: 'hunter2' }
    const made = await contractor.complexes.create({ name: 'r1', site: 'lab', type: 'Rack', fields })
    expectTypeOf(made.fields.port).toEqualTypeOf<number>()
    expect(made.fields).toEqual({ address: '10.0.0.1', password: '***', port: 443 })
    const group = await contractor.complexes.create({ name: 'g1', site: 'lab' })
    expectTypeOf(group.type).toEqualTypeOf<null>()
    // @ts-expect-error a Rack has an address
    await expect(contractor.complexes.create({ name: 'r2', site: 'lab', type: 'Rack' })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    })
  })

  it('nothing, where they are not known one by one; and an engine of known ones is one of any', async () => {
    const plugins: Plugin[] = [lamp]
    const make = () => createContractor({ database: 'memory:', plugins })
    type Made = Awaited<ReturnType<typeof make>>
    expectTypeOf<Made['foundations']['create']>().parameter(0).toHaveProperty('type').toEqualTypeOf<string>()
    expectTypeOf<Made>().toExtend<Contractor>()
    const take = (any: Contractor) => any
    const { contractor: known } = await open()
    expect(take(known)).toBe(known)
  })

  it('which errors there are, each with its data', () => {
    const error: unknown = new Error('x')
    if (isContractorError(error)) {
      if (error.code === 'NOT_FOUND') expectTypeOf(error.data.kind).toEqualTypeOf<string>()
      if (error.code === 'JOB_FAILED') expectTypeOf(error.data.reason).toEqualTypeOf<string>()
      // @ts-expect-error there is no such code
      if (error.code === 'NOT_FOND') throw error
    }
  })

  it('which events there are', async () => {
    const { contractor } = await open()
    for (const event of await contractor.events.list()) {
      if (event.type === 'job.error') expectTypeOf(event.data.action).toEqualTypeOf<string>()
      // @ts-expect-error there is no such event
      if (event.type === 'job.eror') throw new Error()
    }
  })
})

describe('a Complex of a type', () => {
  it('gives its fields to the functions of the Foundations on it, its secrets to their Tasks alone', async () => {
    const { contractor, base, given } = await open()
    const fields = { address: '10.0.0.1', password: 'hunter2' }
    await contractor.complexes.create({ name: 'r1', site: 'lab', type: 'Rack', fields })
    const one = await contractor.foundations.create({
      ...base,
      type: 'Blade',
      locator: 'b1',
      complex: 'r1',
      fields: { slot: 3 },
    })
    await one.setLocated()
    const job = await one.doCreate()
    await job.completed({ timeoutMs: 20_000 })
    const events = await contractor.events.list({ job: job.id })
    expect(given).toEqual([{ address: '10.0.0.1', password: 'hunter2', name: 'b1' }])
    expect(JSON.stringify([events, await contractor.jobs.history(job.id)])).not.toContain('hunter2')
  })

  it('is needed by Foundations of a type that declares it, and keeps what is not changed', async () => {
    const { contractor, base } = await open()
    await contractor.complexes.create({ name: 'g1', site: 'lab' })
    const blade = { ...base, type: 'Blade', locator: 'b1', fields: { slot: 1 } } as const
    await expect(contractor.foundations.create(blade)).rejects.toThrow(
      "Foundation 'b1' of type Blade is provided by a Complex of type Rack, and none is named",
    )
    await expect(contractor.foundations.create({ ...blade, complex: 'g1' })).rejects.toThrow("'g1' is of no type")
    await contractor.complexes.create({
      name: 'r1',
      site: 'lab',
      type: 'Rack',
      fields: { address: 'a', password: 'hunter2' },
    })
    await contractor.complexes.update('r1', { fields: { address: 'b', password: '***' } })
    expect((await contractor.complexes.get('r1')).fields).toMatchObject({ address: 'b', port: 443 })
    await expect(contractor.complexes.update('r1', { fields: { colour: 'red' } })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    })
    await expect(contractor.complexes.update('g1', { fields: { colour: 'red' } })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    })
  })
})
