import { createContractor } from '@contractor/core'
import { createManualClock } from '@contractor/core/testing'
import postgres from 'postgres'
import { afterEach, describe, expect, it } from 'vitest'
import { createPostgresDatabase, databaseKinds } from '../../../test/databases.ts'
import { lathe } from './lathe.ts'
import { openShop } from './shop.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const foundation = (locator: string) => ({
  ...{ locator, type: 'Lathe' as const, site: 'lab', blueprint: 'bed', fields: { serial: locator } },
})
const structure = (hostname: string, on = hostname) => ({
  ...{ hostname, site: 'lab', blueprint: 'web', foundation: on, configValues: { tag: hostname } },
})

describe('many objects at once', () => {
  it.each(databaseKinds)(
    'are added in the order in which they are given, and are what is read back: $kind',
    async kind => {
      const { contractor } = await openShop(kind)
      await contractor.resources.loadText('[foundation.bed]\n[structure.web]\n', 'a.toml')
      const names = Array.from({ length: 40 }, (_, at) => `h${(at * 7) % 40}`)
      const detail = { serials: ['s 1', 's,"2"'], bmcMac: '5254.0012.3456' }
      const beds = await contractor.foundations.createMany([
        { ...foundation('first'), ...detail },
        ...names.map(foundation),
      ])
      expect(beds.map(one => one.locator)).toEqual(['first', ...names])
      expect(beds[0]).toMatchObject({ serials: detail.serials, bmcMac: '52:54:00:12:34:56', state: 'planned' })
      const made = await contractor.structures.createMany(names.map(name => structure(name)))
      expect(made.map(one => one.hostname)).toEqual(names)
      expect(made.map(one => one.id)).toEqual([...made.map(one => one.id)].sort((a, b) => a - b))
      const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown
      expect(plain(await contractor.foundations.get('first'))).toEqual(plain(beds[0]))
      expect(plain(await contractor.structures.get(made[3]?.id ?? 0))).toEqual(plain(made[3]))
      expect(made[3]?.configValues).toEqual({ tag: names[3] })
      const keys = (await contractor.configChanges.list({ structure: made[3]?.id, limit: 10 })).items
      expect(keys).toMatchObject([{ key: 'tag', after: names[3] }])
    },
  )

  it.each(databaseKinds)('are added all or none; the refusal names what is in the way: $kind', async kind => {
    const { contractor } = await openShop(kind)
    await contractor.resources.loadText('[foundation.bed]\n[structure.web]\n', 'a.toml')
    await contractor.foundations.createMany(['aa', 'bb', 'cc'].map(foundation))
    const { foundations, structures } = contractor
    await expect(foundations.createMany(['dd', 'bb'].map(foundation))).rejects.toThrow(
      "A Foundation 'bb' exists already",
    )
    await expect(foundations.createMany(['dd', 'dd'].map(foundation))).rejects.toThrow(
      "A Foundation 'dd' exists already",
    )
    await expect(foundations.get('dd')).rejects.toMatchObject({ code: 'NOT_FOUND' })

    await structures.create(structure('aa'))
    const refused: [ReturnType<typeof structure>[], string][] = [
      [[structure('bb'), structure('aa', 'cc')], "Site 'lab' has a Structure 'aa' already"],
      [[structure('bb'), structure('bb', 'cc')], "Site 'lab' has a Structure 'bb' already"],
      [
        [structure('xx', 'bb'), structure('yy', 'bb')],
        "Foundation 'bb' cannot be used: Structure 'xx' of Site 'lab' stands",
      ],
      [[structure('bb'), structure('yy', 'aa')], "Foundation 'aa' cannot be used: Structure 'aa' of Site 'lab' stands"],
      [[structure('bb'), structure('yy', 'nowhere')], "Foundation 'nowhere' does not exist"],
    ]
    for (const [inputs, message] of refused) await expect(structures.createMany(inputs)).rejects.toThrow(message)
    expect(await structures.count()).toBe(1)
  })

  it('take as many statements as few do: Foundations, Structures, and resource files', async () => {
    const database = await createPostgresDatabase()
    cleanups.push(() => database.drop())
    let statements = 0
    const client = postgres(database.option, { max: 1, onnotice: () => undefined, debug: () => statements++ })
    cleanups.push(() => client.end())
    const contractor = await createContractor({
      ...{ database: client, plugins: [lathe], clock: createManualClock(), foreman: false },
    })
    cleanups.push(() => contractor.close())
    await contractor.sites.create({ name: 'lab' })
    await contractor.resources.loadText('[foundation.bed]\n[structure.web]\n', 'a.toml')
    const counted = async (run: () => Promise<unknown>) => {
      const before = statements
      await run()
      return statements - before
    }
    const named = (prefix: string, count: number) => Array.from({ length: count }, (_, at) => `${prefix}${at}`)
    const file = (prefix: string, count: number) =>
      `sflinks = [["web", "${prefix}"]]\n${named(prefix, count)
        .map(
          name =>
            `[script.${name}]\nscript = "x = 1"\n[pxe.${name}]\nboot_script = ""\n[structure.${name}]\nparents = ["web"]\nscripts = { create = "${name}" }\nfoundation_blueprints = ["bed"]\nconfig_values = { a = 1 }\n`,
        )
        .join('')}`
    for (const run of [
      (names: string[]) => contractor.foundations.createMany(names.map(foundation)),
      (names: string[]) => contractor.structures.createMany(names.map(name => structure(name))),
      (names: string[]) => contractor.resources.loadText(file(names[0] ?? '', names.length), 'b.toml'),
    ]) {
      // The first of a kind also prepares its statements.
      await run(named('w', 2))
      expect(await counted(() => run(named('m', 60)))).toBe(await counted(() => run(named('f', 2))))
    }
  })
})
