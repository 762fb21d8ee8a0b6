import { randomBytes } from 'node:crypto'
import { type Json, mapSecretPlaces, secret } from '@contractor/contract'
import { createContractor } from '@contractor/core'
import { defineFoundation, defineTaskFunction, defineTasks } from '@contractor/plugin'
import postgres from 'postgres'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openShop } from './shop.ts'

const tasks = defineTasks({
  unlock: {
    params: z.object({ password: secret(), label: z.string(), keys: z.array(z.object({ pin: secret() })) }),
    result: z.object({ token: secret(), said: z.string() }),
  },
})
const unlock = defineTaskFunction({
  args: z.object({ label: z.string(), pin: z.string() }),
  task: tasks.unlock,
  params: ({ label, pin }, { foundation }) => ({
    password: String((foundation.fields as { password: string }).password),
    label,
    keys: [{ pin }],
  }),
  result: z.object({ token: z.string(), said: z.string() }),
  value: reply => reply,
  fields: reply => ({ token: reply.token }),
  message: ({ password }) => `Unlocking with ${password}`,
})
const vault = defineFoundation({
  type: 'Vault',
  fields: z.object({ password: secret(z.string().min(6)), token: secret().optional(), owner: z.string().optional() }),
  tasks,
  functions: { unlock },
})

const key = randomBytes(32).toString('base64')

async function openVault(script: string, configValues: Record<string, string | { $secret: string }> = {}) {
  const shop = await openShop(undefined, { plugins: [vault], secretKey: key })
  const { contractor } = shop
  await contractor.secrets.put({ name: 'lab/pin', value: 'pin-4711' })
  await contractor.scripts.put({ name: 'create', source: script })
  await contractor.blueprints.put({ kind: 'foundation', name: 'base' })
  await contractor.blueprints.put({ kind: 'structure', name: 'top', scripts: { create: 'create' }, configValues })
  const foundation = await contractor.foundations.create({
    ...{ locator: 'v1', type: 'Vault', site: 'lab', blueprint: 'base' },
    fields: { password: 'open sesame' },
  })
  const structure = await contractor.structures.create({
    hostname: 'v1',
    site: 'lab',
    blueprint: 'top',
    foundation: 'v1',
  })
  const agent = { name: 'agent', sites: ['lab'], modules: ['vault'] }
  const claim = () => contractor.dispatch.claim(agent, { agent: 'a', modules: { vault: { slots: 1 } }, waitMs: 0 })
  return { ...shop, foundation, structure, agent, claim }
}

/** All that the database holds, as text. */
async function dump(option: unknown): Promise<string> {
  const sql = postgres(String(option), { onnotice: () => undefined })
  try {
    const tables = await sql`select tablename from pg_tables where schemaname = 'contractor'`
    const parts = await Promise.all(
      tables.map(
        ({ tablename }) =>
          sql`select coalesce(jsonb_agg(to_jsonb(t)), '[]')::text as all from ${sql(`contractor.${tablename}`)} t`,
      ),
    )
    return parts.map(rows => rows[0]?.all).join('\n')
  } finally {
    await sql.end()
  }
}

describe('the places that a schema marks', () => {
  const mask = (schema: z.ZodType, value: Json) => mapSecretPlaces(schema, value, () => '***')

  it.each<[string, z.ZodType, Json, Json]>([
    ['a field', z.object({ a: secret(), b: z.string() }), { a: 'x', b: 'y' }, { a: '***', b: 'y' }],
    [
      'optional, nullable and with a default',
      z.object({ a: secret().nullable().optional(), b: secret().default('x') }),
      { a: 'x', b: 'y' },
      { a: '***', b: '***' },
    ],
    ['lists and maps', z.record(z.string(), z.array(secret())), { k: ['x', 'y'] }, { k: ['***', '***'] }],
    ['a union', z.union([z.object({ n: z.number() }), z.object({ a: secret() })]), { a: 'x' }, { a: '***' }],
    ['what is null', z.object({ a: secret().nullable() }), { a: null }, { a: null }],
    ['none', z.object({ a: z.string() }), { a: 'x' }, { a: 'x' }],
  ])('are found: %s', (_, schema, value, expected) => {
    expect(mask(schema, value)).toEqual(expected)
  })

  it('are found in a schema that holds itself', () => {
    const node = z.object({
      pin: secret(),
      get children() {
        return z.array(node).optional()
      },
    })
    expect(mask(node, { pin: 'x', children: [{ pin: 'y', children: [{ pin: 'z' }] }] })).toEqual({
      pin: '***',
      children: [{ pin: '***', children: [{ pin: '***' }] }],
    })
  })
})

describe('a secret', () => {
  it('reaches the agent that needs it, and shows nowhere else: in no table, view, history, message or event', async () => {
    const { contractor, structure, claim, agent, database } = await openVault(
      "got = foundation.unlock( label='a', pin=config.pin . '!' )\npause( msg=got[ 'said' ] )",
      { pin: { $secret: 'lab/pin' }, motd: 'the pin is {{ pin }}' },
    )
    await (await contractor.foundations.get('v1')).setBuilt()
    const job = await structure.doCreate()
    await contractor.foreman.runDue()
    expect((await job.refresh()).message).toBe('Unlocking with ***')

    const [task] = await claim()
    expect(task?.params).toEqual({ password: 'open sesame', label: 'a', keys: [{ pin: 'pin-4711!' }] })
    const result = { token: 'tok-en-0815', said: 'unlocked with open sesame' }
    const answers = [{ taskId: task?.taskId ?? 0, claimToken: task?.claimToken ?? '', result }]
    expect(await contractor.dispatch.results(agent, answers)).toMatchObject([{ accepted: true }])

    const shown = {
      job: await job.refresh(),
      steps: await contractor.jobs.history(job.id),
      foundation: await contractor.foundations.get('v1'),
      config: await structure.config(),
      explained: await structure.explainConfig(),
      events: await contractor.events.list({ limit: 1000 }),
    }
    expect(shown.job).toMatchObject({ state: 'paused', message: 'unlocked with ***' })
    expect(shown.steps.items).toMatchObject([
      {
        request: { password: '***', label: 'a', keys: [{ pin: '***!' }] },
        reply: { token: '***', said: 'unlocked with ***' },
      },
    ])
    expect(shown.foundation.fields).toEqual({ password: '***', token: '***' })
    expect(shown.config).toMatchObject({ pin: '***', motd: 'the pin is ***' })
    const everything = JSON.stringify(shown) + (await dump(database.option))
    for (const plain of ['open sesame', 'pin-4711', 'tok-en-0815']) expect(everything).not.toContain(plain)
  })

  it('is not shown by an agent that fails and says what it was given', async () => {
    const { contractor, structure, claim, agent, database } = await openVault("foundation.unlock( label='a', pin='0' )")
    await (await contractor.foundations.get('v1')).setBuilt()
    const job = await structure.doCreate()
    await contractor.foreman.runDue()
    const [task] = await claim()
    const error = { code: 'TASK_FAILED', message: 'cannot open with open sesame', retryable: false }
    await contractor.dispatch.results(agent, [{ taskId: task?.taskId ?? 0, claimToken: task?.claimToken ?? '', error }])
    expect((await job.refresh()).message).toContain('cannot open with ***')
    expect(await dump(database.option)).not.toContain('open sesame')
  })

  it('that a script keeps in the config of its Structure is one there, too', async () => {
    const script =
      "structure.set_config( name='pin', value=config.source . '!' )\nfoundation.unlock( label='a', pin=config.pin )"
    const { contractor, structure, claim } = await openVault(script, { source: { $secret: 'lab/pin' } })
    await (await contractor.foundations.get('v1')).setBuilt()
    await structure.doCreate()
    await contractor.foreman.runDue()
    expect((await claim())[0]?.params).toMatchObject({ keys: [{ pin: 'pin-4711!' }] })
    const shown = await structure.refresh()
    expect(shown.configValues).toEqual({ pin: '***!' })
    // Whoever writes back what was shown changes nothing of it.
    await shown.update({ configValues: { ...shown.configValues, more: 1 } })
    expect(await contractor.hosts.config({ configUuid: shown.configUuid })).toMatchObject({ pin: 'pin-4711!', more: 1 })
    const { items } = await contractor.configChanges.list({ structure: structure.id })
    expect(items).toMatchObject([{ key: 'more' }, { key: 'pin', after: '***!' }])
  })

  it('is checked as it is written, and stays when it is given back as it is shown', async () => {
    const { contractor, claim, structure } = await openVault("foundation.unlock( label='a', pin='0' )")
    await expect(contractor.foundations.update('v1', { fields: { password: 'short' } })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      message: expect.not.stringContaining("'short'"),
    })
    const updated = await contractor.foundations.update('v1', { fields: { password: '***', owner: 'me' } })
    expect(updated.fields).toEqual({ password: '***', owner: 'me' })
    await updated.setBuilt()
    await structure.doCreate()
    await contractor.foreman.runDue()
    expect((await claim())[0]?.params).toMatchObject({ password: 'open sesame' })
  })

  it('with a name is put, listed, and kept while a config names it; one that is not there is said', async () => {
    const { contractor, structure } = await openVault('', { pin: { $secret: 'lab/pin' } })
    expect((await contractor.secrets.list()).items).toMatchObject([{ name: 'lab/pin' }])
    await expect(contractor.secrets.delete('lab/pin')).rejects.toMatchObject({
      code: 'IN_USE',
      message: "Secret 'lab/pin' cannot be deleted: the config of BluePrint top names it",
    })
    await structure.update({ configValues: { other: { $secret: 'lab/none' } } })
    await expect(structure.config()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining("names the secret 'lab/none', which does not exist"),
    })
    await expect(contractor.secrets.put({ name: 'no spaces', value: 'x' })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    })
  })

  it('needs a key, and is opened with an older one after the key was changed', async () => {
    const { contractor, database, claim, structure } = await openVault("foundation.unlock( label='a', pin='0' )")
    await (await contractor.foundations.get('v1')).setBuilt()
    await structure.doCreate()
    await contractor.foreman.runDue()
    const open = (secretKey: string | string[] | undefined) =>
      createContractor({ database: database.option, plugins: [vault], foreman: false, ...(secretKey && { secretKey }) })
    const without = await open(undefined)
    await expect(without.secrets.put({ name: 'x', value: 'y' })).rejects.toMatchObject({
      code: 'SECRET_KEY_MISSING',
      message: expect.stringContaining('CONTRACTOR_SECRET_KEY'),
    })
    await without.close()
    const changed = await open([randomBytes(32).toString('base64'), key])
    const [task] = await changed.dispatch.claim(
      { name: 'agent', sites: ['lab'], modules: ['vault'] },
      { agent: 'a', modules: { vault: { slots: 1 } }, waitMs: 0 },
    )
    expect(task?.params).toMatchObject({ password: 'open sesame' })
    await changed.close()
    expect(await claim()).toEqual([])
    await expect(open('c2hvcnQ=')).rejects.toMatchObject({
      message: expect.stringContaining('openssl rand -base64 32'),
    })
  })
})
