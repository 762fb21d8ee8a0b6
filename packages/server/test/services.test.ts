import { secret } from '@contractor/contract'
import { createContractor } from '@contractor/core'
import { defineService, defineServiceRunner } from '@contractor/plugin'
import { createSubContractor } from '@contractor/subcontractor'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { createPostgresDatabase } from '../../../test/databases.ts'
import { createServer } from '../src/create-server.ts'

const beacon = defineService({
  name: 'beacon',
  config: z.object({ colour: z.string(), key: secret().optional(), blinks: z.boolean().default(false) }),
})
const leaseMs = 300

/** A server on a database of its own, with the Sites house and house/attic, and agents that can run beacons. */
async function open() {
  const database = await createPostgresDatabase()
  onTestFinished(() => database.drop())
  const contractor = await createContractor({
    ...{ database: database.option, plugins: [beacon], leaseMs, foreman: false },
    secretKey: Buffer.alloc(32, 7).toString('base64'),
  })
  onTestFinished(() => contractor.close())
  await contractor.sites.create({ name: 'house' })
  await contractor.sites.create({ name: 'attic', parent: 'house' })
  const app = createServer(contractor)
  const token = async (name: string, modules: string[], sites = ['house']) =>
    (await contractor.tokens.create({ kind: 'agent', name, sites, modules })).secret
  /** What was lit and put out, in order. */
  const seen: string[] = []
  let isAway = false
  async function startAgent(name: string, secret: string, run = shine) {
    const agent = createSubContractor({
      server: 'http://contractor.test',
      token: secret,
      name,
      handlers: [],
      services: [defineServiceRunner(beacon, (config, context) => run(name, config, context.site, context.signal))],
      fetch: async (input, init) => {
        if (isAway) throw new TypeError('fetch failed')
        return app.request(String(input), init)
      },
    })
    agent.start()
    onTestFinished(() => agent.stop({ graceMs: 0 }))
    return agent
  }
  const shine = async (name: string, config: z.output<typeof beacon.config>, site: string, signal: AbortSignal) => {
    seen.push(`${name} lights ${site} ${config.colour}${config.key === undefined ? '' : ` with ${config.key}`}`)
    await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
    seen.push(`${name} puts ${site} ${config.colour} out`)
  }
  const comes = (...lines: string[]) => vi.waitFor(() => expect(seen).toEqual(expect.arrayContaining(lines)), 15_000)
  const cut = (away: boolean) => {
    isAway = away
  }
  return { contractor, app, token, startAgent, seen, comes, cut }
}

describe('a service', () => {
  it('is run for each Site that has it configured, by an agent that may, with its secrets; and anew when that changes', async () => {
    const { contractor, token, startAgent, seen, comes } = await open()
    await contractor.services.put({ name: 'beacon', site: 'attic', config: { colour: 'red', key: 'hunter2' } })
    const { services } = contractor
    await startAgent('one', await token('agents', ['beacon']))
    await comes('one lights attic red with hunter2')
    const [own] = (await services.list({ site: 'attic' })).items
    expect(own).toMatchObject({ running: true, agent: 'one', config: { colour: 'red', key: '***', blinks: false } })

    await services.put({ name: 'beacon', site: 'attic', config: { colour: 'blue', key: '***' } })
    await comes('one lights attic blue with hunter2')
    expect(seen).toEqual([
      'one lights attic red with hunter2',
      'one puts attic red out',
      'one lights attic blue with hunter2',
    ])
    await services.delete(own?.id ?? 0)
    await comes('one puts attic blue out')
  })

  it('is one agent’s at a time, and another’s once that one is gone', async () => {
    const { contractor, token, startAgent, seen, comes } = await open()
    await contractor.services.put({ name: 'beacon', site: 'house', config: { colour: 'red' } })
    const secret = await token('agents', ['beacon'])
    const one = await startAgent('one', secret)
    await comes('one lights house red')
    await startAgent('two', secret)
    await one.stop({ graceMs: 0 })
    await comes('two lights house red')
    expect(seen).toEqual(['one lights house red', 'one puts house red out', 'two lights house red'])
  })

  it('is ended by an agent that cannot reach the server, before another may have it', async () => {
    const { contractor, token, startAgent, comes, cut } = await open()
    await contractor.services.put({ name: 'beacon', site: 'house', config: { colour: 'red' } })
    await startAgent('one', await token('agents', ['beacon']))
    await comes('one lights house red')
    cut(true)
    await comes('one puts house red out')
  })

  it('is nobody’s whose token does not name it, or not its Site', async () => {
    const { contractor, token, app } = await open()
    await contractor.services.put({ name: 'beacon', site: 'house', config: { colour: 'red' } })
    const ask = async (secret: string) => {
      const reply = await app.request('/api/v1/dispatch/services', {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
        body: JSON.stringify({ agent: 'a', services: ['beacon'], running: [] }),
      })
      return ((await reply.json()) as { run: unknown[] }).run.length
    }
    expect(await ask(await token('others', ['iputils']))).toBe(0)
    expect(await ask(await token('above', ['beacon'], ['attic']))).toBe(0)
    expect(await ask(await token('right', ['beacon']))).toBe(1)
  })

  it('that fails is started again, and says so', async () => {
    const { contractor, token, startAgent } = await open()
    const { id } = await contractor.services.put({ name: 'beacon', site: 'house', config: { colour: 'red' } })
    let starts = 0
    await startAgent('one', await token('agents', ['beacon']), async () => {
      starts += 1
      throw new Error('The bulb is gone')
    })
    await vi.waitFor(() => expect(starts).toBeGreaterThan(1), 15_000)
    await vi.waitFor(
      async () => expect(await contractor.services.get(id)).toMatchObject({ trouble: 'The bulb is gone' }),
      15_000,
    )
  })

  it('that is not known, or configured wrongly, is refused', async () => {
    const { contractor } = await open()
    const put = (name: string, config: Record<string, string>) =>
      contractor.services.put({ name, site: 'house', config })
    await expect(put('bacon', {})).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: "No plugin provides the service 'bacon'. Known are: beacon.",
    })
    await expect(put('beacon', { color: 'red' })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
  })
})
