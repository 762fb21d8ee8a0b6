import type { HandlerContext, HandlerModule } from '@contractor/plugin'
import { createSubContractor, type SubContractorOptions } from '../src/create-subcontractor.ts'
import { createLineLog } from '../src/log.ts'
import { agentToken, createFakeServer, type FakeServer } from './fake-server.ts'
import { createManualClock } from './manual-clock.ts'
import { createRecord } from './record.ts'

export interface Call {
  name: string
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what it put in
  params: any
  context: HandlerContext
  finish(value?: unknown): void
  fail(error: unknown): void
}

/** A module of which every call is finished by the test, except `echo`, which answers at once. */
export function createTestModule(module = 'test') {
  const calls = createRecord<Call>()
  const running = { now: 0, most: 0 }
  const handlers: HandlerModule = {
    module,
    functions: ['echo', 'hold', 'heed'],
    async run(name, params, context) {
      running.now += 1
      running.most = Math.max(running.most, running.now)
      try {
        return await new Promise<unknown>((resolve, reject) => {
          calls.add({ name, params, context, finish: resolve, fail: reject })
          if (name === 'echo') resolve(params)
          if (name === 'heed') context.signal.addEventListener('abort', () => reject(context.signal.reason))
        })
      } finally {
        running.now -= 1
      }
    },
  }
  return { handlers, calls, running, call: (id: number) => calls.first(({ context }) => context.taskId === id) }
}

export interface Fixture extends Awaited<ReturnType<typeof createFixture>> {}

/** Lets what is ready to run have its turn. */
export async function settle(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise(resolve => setImmediate(resolve))
}

/** An agent with a module `test`, a strict server and a manual clock, all ended by `close`. */
export async function createFixture(
  options: Partial<SubContractorOptions> & { before?(server: FakeServer): void | Promise<void> } = {},
) {
  const server = await createFakeServer()
  await options.before?.(server)
  const clock = createManualClock()
  const module = createTestModule()
  const lines = createRecord<string>()
  let ids = 0
  const agent = createSubContractor({
    server: server.url,
    token: agentToken,
    name: 'agent-1',
    handlers: [module.handlers],
    clock,
    random: () => 1,
    newId: () => `request-${++ids}`,
    log: createLineLog(line => lines.add(line), { secret: agentToken, time: () => new Date(0) }),
    ...options,
  })
  return {
    server,
    clock,
    agent,
    ...module,
    lines,
    line: (part: string) => lines.first(line => line.includes(part)),
    count: (part: string) => lines.all.filter(line => line.includes(part)).length,
    /** The agent waits for work, in a long poll. */
    idle: () => server.messages.first(({ path, body }) => path === 'claim' && body.waitMs > 0),
    async close() {
      await clock.advanceUntil(agent.stop({ graceMs: 0 }))
      await server.close()
    },
  }
}
