import { createHash } from 'node:crypto'
import { secret } from '@contractor/contract'
import {
  attachment,
  defineHandlers,
  defineModule,
  defineTaskFunction,
  defineTasks,
  type HandlerContext,
} from '@contractor/plugin'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type DatabaseKind, databaseKinds } from '../../../test/databases.ts'
import { lathe } from './lathe.ts'
import { openShop } from './shop.ts'

const tasks = defineTasks({
  dump: { params: z.object({ password: secret().optional() }), result: z.object({ file: attachment }) },
})
const dumper = defineModule({
  name: 'dumper',
  tasks,
  functions: {
    dump: defineTaskFunction({
      args: z.object({ password: z.string().optional() }),
      task: tasks.dump,
      params: args => args,
      result: z.number(),
      value: ({ file }) => file.sizeBytes,
    }),
  },
})

/** Runs a Job whose one Task is done by this handler; what came of it. */
async function dump(kind: DatabaseKind, attach: (context: HandlerContext) => ReturnType<HandlerContext['attach']>) {
  const handlers = defineHandlers(dumper, { dump: async (_, context) => ({ file: await attach(context) }) })
  const shop = await openShop(kind, {
    plugins: [dumper, lathe],
    handlers: [handlers],
    foreman: true,
    secretKey: Buffer.alloc(32, 7).toString('base64'),
  })
  const { contractor } = shop
  await contractor.secrets.put({ name: 'pw', value: 'hunter2' })
  await contractor.sites.update('lab', { configValues: { pw: { $secret: 'pw' } } })
  const { foundation, structure } = await shop.stack({ create: 'dumper.dump( password=config.pw )' })
  await foundation.setBuilt()
  const job = await structure.doCreate()
  await job.completed({ timeoutMs: 25_000 })
  const [only] = (await contractor.attachments.list({ job: job.id })).items
  const parts: Uint8Array[] = []
  for await (const part of contractor.attachments.read(only?.id ?? 0)) parts.push(part)
  const [step] = (await contractor.jobs.history(job.id)).items
  return { only, bytes: Buffer.concat(parts), parts, step, contractor, job }
}

describe.each(databaseKinds)('a large output on $kind', kind => {
  it('is kept beside the history, whole, and not in it', async () => {
    const text = 'line of a log\n'.repeat(700_000)
    const { only, bytes, parts, step } = await dump(kind, context => context.attach('build.log', text))
    expect(only).toMatchObject({ name: 'build.log', contentType: 'text/plain; charset=utf-8', sizeBytes: text.length })
    expect(bytes.equals(Buffer.from(text))).toBe(true)
    expect(only?.sha256).toBe(createHash('sha256').update(text).digest('hex'))
    expect(parts.length).toBeGreaterThan(10)
    expect(step).toMatchObject({ reply: { file: { attachment: only?.id } } })
    expect(step?.task).toBe(only?.task)
  })

  it('may be a stream, or nothing', async () => {
    async function* stream() {
      for (let at = 0; at < 3; at++) yield new Uint8Array(300_000).fill(at)
    }
    const { bytes } = await dump(kind, context => context.attach('image', stream()))
    expect(bytes.length).toBe(900_000)
    expect([bytes[0], bytes[300_000], bytes[899_999]]).toEqual([0, 1, 2])
    expect((await dump(kind, context => context.attach('nothing', ''))).bytes.length).toBe(0)
  })

  it('shows no secret that its Task was given, also where that lies in two pieces', async () => {
    const edge = 512 * 1024
    const text = `the password is hunter2\n${'.'.repeat(edge - 28)}hunter2 and hunter2`
    expect(text.indexOf('hunter2', 100)).toBeLessThan(edge)
    const { bytes } = await dump(kind, context => context.attach('log', text))
    expect(bytes.toString()).toBe(text.replaceAll('hunter2', '*******'))
  })
})

describe('a handler', () => {
  it('is told when an output is too large, or when there are too many', async () => {
    const kind = databaseKinds[1] as DatabaseKind
    async function* endless() {
      for (;;) yield new Uint8Array(8 * 1024 * 1024)
    }
    await expect(dump(kind, context => context.attach('endless', endless()))).rejects.toThrow(
      "The attachment 'endless' is larger than 64 MiB",
    )
    const many = async (context: HandlerContext) => {
      for (let at = 0; at < 20; at++) await context.attach(`${at}`, 'x')
      return context.attach('one more', 'x')
    }
    await expect(dump(kind, many)).rejects.toThrow('A Task has 20 attachments at the most')
  })
})
