import { type Noun, nouns } from '@contractor/contract'
import { createTestContractor } from '@contractor/core/testing'
import { createServer } from '@contractor/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { lathe } from '../packages/core/test/lathe.ts'
import { pathOf } from '../packages/server/src/noun/mount-nouns.ts'

/**
 * The SDK, REST, the client and the command are one: what the SDK can do is declared in the contract, and has a route; or
 * stands here, with the reason.
 */
const elsewhere: Readonly<Record<string, string>> = {
  'attachments.read': 'bytes, piece by piece: GET /attachments/{id}/content',
  'resources.load': 'reads files of this machine; its text goes to POST /resources',
  'resources.loadText': 'the body is TOML: POST /resources',
  'events.list': 'GET /events, as JSON',
  'events.watch': 'GET /events, as a stream of server-sent events',
  'events.cursor': 'with each answer of GET /events',
  'dhcp.forAgent': 'what agents ask: GET /dispatch/dhcp/{site}',
  'hosts.config': 'what machines ask: GET /config/config',
  'hosts.bootScript': 'what machines ask: GET /config/boot_script',
  'hosts.pxeTemplate': 'what machines ask: GET /config/pxe_template',
  'signals.complete': 'what machines say: POST /signal/{job}/{cookie}/complete',
  'signals.message': 'what machines say: POST /signal/{job}/{cookie}/message',
  'signals.alert': 'what machines say: POST /signal/{job}/{cookie}/alert',
  'cartographers.report': 'what machines say: POST /survey/{identifier}',
  'cartographers.getCalled': 'what machines ask: GET /survey/{identifier}',
  'dispatch.claim': 'what agents ask: POST /dispatch/claim',
  'dispatch.exchange': 'what agents say: POST /dispatch/results',
  'dispatch.renew': 'what agents say: POST /dispatch/renew',
  'dispatch.attach': 'what agents say: POST /dispatch/attach',
  'dispatch.release': 'what agents say: POST /dispatch/release',
  'dispatch.services': 'what agents ask: POST /dispatch/services',
}

/** What only a program can do that has the engine in it. */
const sdkOnly: Readonly<Record<string, string>> = {
  'cartographers.register': 'for programs that are told of machines otherwise than by their reports',
  'dispatch.results': 'exchange without a claim: for the agent in the same process',
  'dns.write': 'writes into a folder of this machine: `contractor dns write`',
  'dns.update': 'needs a key that is no part of a request: `contractor dns update`',
  'structures.setState': 'setBuilt and setDestroyed, with the state as an argument',
  'foundations.setState': 'setLocated, setBuilt and setDestroyed, with the state as an argument',
  'dependencies.setState': 'setBuilt and setDestroyed, with the state as an argument',
  'jobs.apply': 'the verbs, with the verb as an argument',
  'jobs.create': 'one order: doCreate, doDestroy and doJob of its target',
  'tokens.find': 'who a secret belongs to is asked by the server alone, for each request',
  'foreman.start': 'the process that runs the Foreman decides when it does',
  'foreman.stop': 'the process that runs the Foreman decides when it does',
  'foreman.runDue': 'the process that runs the Foreman decides when it does; for tests',
  'foreman.forget': 'the Foreman does it by itself; for tests',
}

const all = Object.values(nouns) as Noun[]
const declared = new Map(
  all.flatMap(noun => Object.entries(noun.methods).map(([name, method]) => [`${noun.part}.${name}`, { noun, method }])),
)

/** The functions of the SDK, by their paths. */
function functionsOf(part: object, path: string): string[] {
  return Object.entries(part).flatMap(([name, value]) => {
    const at = path ? `${path}.${name}` : name
    if (typeof value === 'function') return path ? [at] : []
    return typeof value === 'object' && value !== null ? functionsOf(value, at) : []
  })
}

async function openContractor() {
  const contractor = await createTestContractor({ plugins: [lathe], foreman: false })
  onTestFinished(() => contractor.close())
  return contractor
}

describe('the SDK', () => {
  it('has nothing that is neither declared nor listed with its reason, and nothing is listed that it has not', async () => {
    const functions = functionsOf(await openContractor(), '')
    const known = new Set([...declared.keys(), ...Object.keys(elsewhere), ...Object.keys(sdkOnly)])
    expect(functions.filter(name => !known.has(name))).toEqual([])
    expect([...known].filter(name => !functions.includes(name))).toEqual([])
  })

  it('has on each object what its noun declares of one', async () => {
    const contractor = await openContractor()
    const site = await contractor.sites.create({ name: 'lab' })
    await contractor.blueprints.put({ kind: 'foundation', name: 'base' })
    await contractor.blueprints.put({ kind: 'structure', name: 'web' })
    const foundation = await contractor.foundations.create({
      ...{ locator: 'f1', type: 'Lathe', site: 'lab', blueprint: 'base', fields: { serial: 's' } },
    })
    const structure = await contractor.structures.create({
      ...{ hostname: 'web1', site: 'lab', blueprint: 'web', foundation: 'f1' },
    })
    for (const [noun, object] of [
      [nouns.site, site],
      [nouns.foundation, foundation],
      [nouns.structure, structure],
    ] as const) {
      const own = Object.entries((noun as Noun).methods).flatMap(([name, { on }]) =>
        on === 'one' && name !== 'get' ? [name] : [],
      )
      expect(object, noun.name).toMatchObject(Object.fromEntries(own.map(name => [name, expect.any(Function)])))
    }
  })
})

describe('REST', () => {
  it('has a route for each declared method, described with its id, summary, rights and errors', async () => {
    const app = createServer(await openContractor())
    const response = await app.request('/api/v1/openapi.json')
    const document = (await response.json()) as { paths: Record<string, Record<string, Operation>> }
    for (const [name, { noun, method }] of declared) {
      const operation = document.paths[`/api/v1${pathOf(noun, method)}`]?.[method.verb]
      expect(operation, name).toMatchObject({ operationId: name, summary: method.summary, security: [{ bearer: [] }] })
      expect(Object.keys(operation?.responses ?? {}), name).toEqual([String(method.status), 'default'])
    }
    const ids = Object.values(document.paths).flatMap(path => Object.values(path).flatMap(one => one.operationId ?? []))
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('lets nobody in without a token, and no agent where an admin is needed', async () => {
    const contractor = await openContractor()
    await contractor.sites.create({ name: 'lab' })
    const app = createServer(contractor)
    const { secret } = await contractor.tokens.create({
      kind: 'agent',
      name: 'bench',
      sites: ['lab'],
      modules: ['lathe'],
    })
    for (const [name, { noun, method }] of declared) {
      const path = `/api/v1${pathOf(noun, method)}`.replace(/\{\w+\}/g, '1')
      const ask = (headers: Record<string, string>) => app.request(path, { method: method.verb.toUpperCase(), headers })
      expect((await ask({})).status, name).toBe(401)
      expect((await ask({ Authorization: `Bearer ${secret}` })).status, name).toBe(method.allow === 'agent' ? 200 : 403)
    }
  })
})

interface Operation {
  operationId?: string
  responses?: Record<string, unknown>
}
