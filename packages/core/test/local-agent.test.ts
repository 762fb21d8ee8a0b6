import { taskFailed } from '@contractor/contract'
import { createContractor } from '@contractor/core'
import { defineFoundation, defineHandlers, defineModule, defineTaskFunction, defineTasks } from '@contractor/plugin'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { createPostgresDatabase, type DatabaseKind, databaseKinds } from '../../../test/databases.ts'

const tasks = defineTasks({
  switch: { params: z.object({ name: z.string() }), result: z.object({ on: z.boolean() }) },
  burn: { params: z.object({ name: z.string() }), result: z.object({}), timeoutMs: 50 },
})
const args = z.object({})
const lamp = defineFoundation({
  type: 'Lamp',
  fields: z.object({ on: z.boolean().optional() }),
  tasks,
  functions: {
    switch_on: defineTaskFunction({
      args,
      task: tasks.switch,
      params: (_, { foundation }) => ({ name: foundation.locator }),
      result: z.boolean(),
      value: ({ on }) => on,
      fields: ({ on }) => ({ on }),
    }),
    burn: defineTaskFunction({
      args,
      task: tasks.burn,
      params: (_, { foundation }) => ({ name: foundation.locator }),
      result: z.null(),
      value: () => null,
    }),
  },
})
const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))

/** A lamp `one` in a Site whose create script is this. */
async function open(kind: DatabaseKind, script: string, onSwitch: () => Promise<{ on: boolean }>) {
  const database = await kind.create()
  onTestFinished(() => database.drop())
  const handlers = defineHandlers(lamp, {
    async switch(_, context) {
      context.progress(50, 'Half on')
      context.log('a lamp')
      return onSwitch()
    },
    burn: (_, { signal }) => untilAborted(signal),
  })
  const idle = defineModule({ name: 'idle', functions: {} })
  const contractor = await createContractor({
    database: database.option,
    plugins: [lamp, idle],
    handlers: [handlers, defineHandlers(idle, {})],
  })
  onTestFinished(() => contractor.close())
  await contractor.sites.create({ name: 'house' })
  await contractor.sites.create({ name: 'attic', parent: 'house' })
  await contractor.scripts.put({ name: 'on', source: script })
  await contractor.blueprints.put({ kind: 'foundation', name: 'lamp', scripts: { create: 'on' } })
  const foundation = await contractor.foundations.create({
    type: 'Lamp',
    locator: 'one',
    site: 'attic',
    blueprint: 'lamp',
  })
  await foundation.setLocated()
  return { contractor, foundation }
}

describe.each(databaseKinds)('handlers in the engine’s own process on $kind', kind => {
  it('do the Tasks of their module, wherever they are, and tell how far they are', async () => {
    const { contractor, foundation } = await open(kind, 'foundation.switch_on()', async () => ({ on: true }))
    const job = await foundation.doCreate()
    await job.completed({ timeoutMs: 20_000 })
    expect(await foundation.refresh()).toMatchObject({ state: 'built', fields: { on: true } })
    const [step] = (await contractor.jobs.history(job.id)).items
    expect(step).toMatchObject({ end: 'result', log: [{ text: 'a lamp' }] })
    expect((await contractor.jobs.history(job.id)).items).toHaveLength(1)
  })

  it('of a module that was busy are there for the next Task as soon as one is free, whatever else is waited for', async () => {
    const gates: (() => void)[] = []
    const held = () => new Promise<{ on: boolean }>(resolve => gates.push(() => resolve({ on: true })))
    const { contractor } = await open(kind, 'foundation.switch_on()', held)
    const locators = Array.from({ length: 11 }, (_, at) => `many${at}`)
    const base = { type: 'Lamp', site: 'attic', blueprint: 'lamp' } as const
    for (const foundation of await contractor.foundations.createMany(locators.map(locator => ({ ...base, locator })))) {
      await foundation.setLocated()
      await foundation.doCreate()
    }
    await vi.waitFor(() => expect(gates).toHaveLength(10), 15_000)
    gates[0]?.()
    await vi.waitFor(() => expect(gates).toHaveLength(11), 15_000)
    for (const open of gates) open()
  })

  it('fail as any agent’s do', async () => {
    const { foundation } = await open(kind, 'foundation.switch_on()', async () => {
      throw taskFailed('The bulb is gone')
    })
    const job = await foundation.doCreate()
    await expect(job.completed({ timeoutMs: 20_000 })).rejects.toMatchObject({
      code: 'JOB_FAILED',
      data: { reason: 'The bulb is gone' },
    })
  })

  it('are aborted when they take too long', async () => {
    const { foundation } = await open(kind, 'foundation.burn()', async () => ({ on: true }))
    const job = await foundation.doCreate()
    await expect(job.completed({ timeoutMs: 20_000 })).rejects.toThrow('lamp.burn took longer than 0.05 s')
  })

  it('are aborted and given back when the engine is closed', async () => {
    const { contractor, foundation } = await open(kind, 'foundation.switch_on()', () => new Promise(() => {}))
    const job = await foundation.doCreate()
    for await (const { message } of job.watch()) if (message === 'Half on (50 %)') break
    const began = performance.now()
    await contractor.close()
    expect(performance.now() - began).toBeLessThan(10_000)
  })
})

it('handlers of a module that no plugin has, and of one that has two, are refused', async () => {
  const handlers = defineHandlers(lamp, { switch: async () => ({ on: true }), burn: async () => ({}) })
  const database = await createPostgresDatabase()
  onTestFinished(() => database.drop())
  await expect(createContractor({ database: database.option, handlers: [handlers] })).rejects.toMatchObject({
    code: 'PLUGIN_INVALID',
    message: expect.stringContaining('no plugin that was given has this module'),
  })
  await expect(
    createContractor({ database: database.option, plugins: [lamp], handlers: [handlers, handlers] }),
  ).rejects.toThrow('they were given twice')
})
