import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { databaseKinds } from '../../../test/databases.ts'
import { openShop } from './shop.ts'

/** Structures at two Sites, of BluePrints that inherit, some of them built. */
async function openTown(kind: (typeof databaseKinds)[number]) {
  const shop = await openShop(kind)
  const { contractor } = shop
  await contractor.sites.create({ name: 'lab2', parent: 'lab' })
  await contractor.sites.create({ name: 'far' })
  await contractor.blueprints.put({ kind: 'structure', name: 'plain', configValues: { role: 'none', size: 1 } })
  await contractor.blueprints.put({
    ...{ kind: 'structure', name: 'web', parents: ['plain'], configValues: { role: 'lb', size: '{{ 2 + 2 }}' } },
  })
  await contractor.blueprints.put({ kind: 'foundation', name: 'lathe-base' })
  const made = []
  for (const [at, [site, blueprint]] of [
    ['lab', 'web'],
    ['lab2', 'web'],
    ['lab2', 'plain'],
    ['far', 'plain'],
    ['far', 'web'],
  ].entries()) {
    const locator = `f${at}`
    await contractor.foundations.create({
      ...{ locator, type: 'Lathe', site: site as string, blueprint: 'lathe-base', fields: { serial: `s${at}` } },
    })
    const configValues = at === 1 ? { tags: ['fast', 'new'], role: 'web' } : {}
    made.push(
      await contractor.structures.create({
        ...{
          hostname: `h${at}`,
          site: site as string,
          blueprint: blueprint as string,
          foundation: locator,
          configValues,
        },
      }),
    )
  }
  await contractor.foundations.setLocated('f0')
  await contractor.foundations.setBuilt('f0')
  await made[0]?.setBuilt()
  const ask = async (filter: string, limit = 100) =>
    (await contractor.structures.list({ filter, limit })).items.map(one => one.hostname)
  return { ...shop, ask }
}

describe.each(databaseKinds)('filters, on $kind', kind => {
  it('find by fields, trees, inheritance and rendered config, and count the same', async () => {
    const { contractor, ask } = await openTown(kind)
    const questions: Record<string, string[]> = {
      "state == 'built'": ['h0'],
      "state != 'built' and site == 'lab2'": ['h1', 'h2'],
      "site in subtree( 'lab' )": ['h0', 'h1', 'h2'],
      "site not in subtree( 'lab' )": ['h3', 'h4'],
      "site in subtree( 'nowhere' )": [],
      "blueprint isa 'plain'": ['h0', 'h1', 'h2', 'h3', 'h4'],
      "blueprint isa 'web' and not site == 'far'": ['h0', 'h1'],
      "hostname in [ 'h1', 'h3' ]": ['h1', 'h3'],
      'hostname in []': [],
      "hostname like 'h?' and hostname > 'h2'": ['h3', 'h4'],
      "hostname contains '%'": [],
      'builtAt == none': ['h1', 'h2', 'h3', 'h4'],
      "builtAt > '2020-01-01'": ['h0'],
      "createdAt < '2020-01-01T00:00:00+02:00'": [],
      'exists( builtAt )': ['h0'],
      "config.role == 'lb'": ['h0', 'h4'],
      "not config.role == 'lb' and site in subtree( 'lab' )": ['h1', 'h2'],
      "config.size == '4' or config.size == 4": ['h0', 'h1', 'h4'],
      "config.tags contains 'fast'": ['h1'],
      'exists( config.tags )': ['h1'],
      'exists( config.nothing.deep )': [],
      "config._site == 'far'": ['h3', 'h4'],
    }
    for (const [filter, expected] of Object.entries(questions)) {
      expect([filter, await ask(filter)]).toEqual([filter, expected])
      expect([filter, await contractor.structures.count({ filter })]).toEqual([filter, expected.length])
    }
    expect(await ask("config.role != 'x'", 2)).toEqual(['h0', 'h1'])
    const pages: string[] = []
    for (let after: string | undefined; ; ) {
      const page = await contractor.structures.list({
        ...{ filter: "config.role == 'lb' or config.role == 'none'", limit: 1, ...(after !== undefined && { after }) },
      })
      pages.push(...page.items.map(one => one.hostname))
      if (page.next === undefined) break
      after = page.next
    }
    expect(pages).toEqual(['h0', 'h2', 'h3', 'h4'])
    expect((await contractor.foundations.list({ filter: "state == 'built' or locator == 'f3'" })).items).toHaveLength(2)
    expect((await contractor.sites.list({ filter: "name like 'lab*' and exists( parent )" })).items).toMatchObject([
      { name: 'lab2' },
    ])
    expect((await contractor.jobs.list({ filter: "state in [ 'error', 'paused' ]" })).items).toEqual([])
  })

  it('that are wrong say where, and what was meant', async () => {
    const { ask } = await openTown(kind)
    const wrong: [string, RegExp][] = [
      ["stat == 'built'", /1:1: error: A Structure has no field `stat`[\s\S]*Did you mean `state`\?/],
      ["state == 'bulit'", /`state` is never 'bulit'[\s\S]*Did you mean 'built'\?/],
      ['hostname == 4', /`hostname` is a text, and 4 is none/],
      ["id > 'a'", /`id` is a number/],
      ["builtAt > 'yesterday'", /`builtAt` is a time, and 'yesterday' is none/],
      ['id contains 4', /has no letters to look for/],
      ["state > 'a'", /have no order/],
      ['hostname == none', /`hostname` is never none/],
      ["hostname in subtree( 'a' )", /names nothing that stands in a tree/],
      ["site isa 'a'", /names no BluePrint/],
      ["configValues == 'a'", /has no field `configValues`/],
      ['a == 1 and b == 2', /no field `a`[\s\S]*no field `b`/],
    ]
    for (const [filter, message] of wrong)
      await expect(ask(filter), filter).rejects.toMatchObject({
        code: 'FILTER_INVALID',
        message: expect.stringMatching(message),
      })
  })

  it('ask the database the same as they ask a row', { timeout: 60_000 }, async () => {
    const { contractor } = await openTown(kind)
    const texts = fc.constantFrom("'h1'", "'h3'", "'lab2'", "'web'", "'%'", "'H1'", "''")
    const condition = fc
      .oneof(
        fc.tuple(
          fc.constantFrom('hostname', 'site', 'blueprint', 'foundation'),
          fc.constantFrom('==', '!=', '<', '>='),
          texts,
        ),
        fc.tuple(
          fc.constantFrom('hostname', 'site'),
          fc.constantFrom('like', 'contains'),
          fc.constantFrom("'h*'", "'?1'", "'a'"),
        ),
        fc.tuple(fc.constant('id'), fc.constantFrom('==', '!=', '<', '>='), fc.constantFrom('1', '3', '2.5')),
        fc.tuple(fc.constant('builtAt'), fc.constantFrom('==', '!='), fc.constant('none')),
        fc.tuple(fc.constant('builtAt'), fc.constantFrom('<', '>='), fc.constantFrom("'2020-01-01'", "'2999-01-01'")),
        fc.tuple(fc.constant('state'), fc.constantFrom('in', 'not in'), fc.constantFrom("[ 'built' ]", '[]')),
        fc.constantFrom(['site', 'in', "subtree( 'lab' )"], ['blueprint', 'isa', "'web'"], ['exists(', 'builtAt', ')']),
      )
      .map(parts => parts.join(' '))
    const { filter } = fc.letrec<{ filter: string }>(tie => ({
      filter: fc.oneof(
        { maxDepth: 3 },
        condition,
        fc.tuple(tie('filter'), fc.constantFrom('and', 'or'), tie('filter')).map(([a, by, b]) => `( ${a} ${by} ${b} )`),
        tie('filter').map(inner => `not ( ${inner} )`),
      ),
    }))
    await fc.assert(
      fc.asyncProperty(filter, async text => {
        const asked = (await contractor.structures.list({ filter: text })).items.map(one => one.hostname)
        // Of a config nothing can be asked of the database: so each row is looked at.
        const looked = (await contractor.structures.list({ filter: `( ${text} ) and config._site != 'x'` })).items
        expect(looked.map(one => one.hostname)).toEqual(asked)
      }),
      { numRuns: 60 },
    )
  })
})
