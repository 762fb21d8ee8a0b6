import { describe, expect, it } from 'vitest'
import { databaseKinds } from '../../../test/databases.ts'
import { openShop } from './shop.ts'

describe('a BluePrint', () => {
  it('is saved as it is given, with its parents in their order, and says whether that changed anything', async () => {
    const { contractor } = await openShop()
    const { blueprints } = contractor
    for (const name of ['b', 'a', 'c']) await blueprints.put({ kind: 'structure', name })
    const heir = {
      kind: 'structure' as const,
      name: 'heir',
      parents: ['c', 'a', 'b'],
      configValues: { '>x:Metal': [1] },
    }
    expect(await blueprints.put(heir)).toEqual({ change: 'created' })
    expect(await blueprints.put(heir)).toEqual({ change: 'unchanged' })
    expect(await blueprints.put({ ...heir, parents: ['a', 'b', 'c'] })).toEqual({ change: 'changed' })
    expect(await blueprints.get('heir')).toMatchObject({ parents: ['a', 'b', 'c'], configValues: { '>x:Metal': [1] } })
    await expect(blueprints.put({ ...heir, configValues: { _mine: 1 } })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      message: expect.stringContaining('configValues._mine: must be letters, digits, - and _'),
    })
    const events = (await contractor.events.list({ limit: 1000 })).filter(one => one.data.blueprint === 'heir')
    expect(events.map(one => one.type)).toEqual(['blueprint.created', 'blueprint.changed'])
  })

  it('cannot inherit from itself, nor from what is not there or of the other kind', async () => {
    const { contractor } = await openShop()
    const { blueprints } = contractor
    await blueprints.put({ kind: 'structure', name: 'a' })
    await blueprints.put({ kind: 'structure', name: 'b', parents: ['a'] })
    await blueprints.put({ kind: 'structure', name: 'c', parents: ['b'] })
    await expect(blueprints.put({ kind: 'structure', name: 'a', parents: ['c'] })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      message: "BluePrint 'a' would inherit from itself: a → c → b → a",
    })
    expect((await blueprints.get('a')).parents).toEqual([])
    await expect(blueprints.put({ kind: 'foundation', name: 'f', parents: ['a'] })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining("'a' is one for a structure"),
    })
    await expect(blueprints.put({ kind: 'foundation', name: 'a' })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    await expect(
      blueprints.put({ kind: 'structure', name: 'd', scripts: { create: 'nothing' } }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining("names the script 'nothing'") })
  })

  it('inherits a script breadth first: a nearer parent goes before a nearer line', async () => {
    const { contractor } = await openShop()
    const { blueprints, foundations, structures } = contractor
    for (const name of ['grand', 'left', 'right', 'far', 'near']) {
      await contractor.scripts.put({ name, source: `message( msg='${name}' )` })
    }
    // own → left → grand, and own → right → grand: `left` has no tune, but its parent has.
    const put = (name: string, parents: string[], scripts: Record<string, string>) =>
      blueprints.put({ kind: 'structure', name, parents, scripts })
    await put('grand', [], { tune: 'grand', polish: 'grand', sing: 'grand' })
    await put('left', ['grand'], { polish: 'left' })
    await put('right', ['grand'], { polish: 'right', tune: 'right' })
    await put('own', ['left', 'right'], {})
    await blueprints.put({ kind: 'foundation', name: 'base' })
    await foundations.create({ locator: 'm1', type: 'Lathe', site: 'lab', blueprint: 'base', fields: { serial: 's' } })
    const one = await structures.create({ hostname: 'one', site: 'lab', blueprint: 'own', foundation: 'm1' })
    await foundations.setState('m1', 'built')
    await one.setBuilt()
    const said: unknown[] = []
    for (const action of ['polish', 'tune', 'sing']) {
      const job = await one.doJob(action)
      await contractor.foreman.runDue()
      const events = await contractor.events.list({ job: job.id })
      said.push(events.map(event => event.data.message).findLast(message => message !== undefined))
    }
    expect(said).toEqual(['left', 'right', 'grand'])
  })

  it('may stand on the FoundationBluePrints that it or an ancestor names, and on their heirs; is for inherited types', async () => {
    const { contractor } = await openShop()
    const { blueprints, foundations, structures } = contractor
    await blueprints.put({ kind: 'foundation', name: 'metal', foundationTypes: ['Lathe'] })
    await blueprints.put({ kind: 'foundation', name: 'rack', parents: ['metal'] })
    await blueprints.put({ kind: 'foundation', name: 'other' })
    await blueprints.put({ kind: 'foundation', name: 'paper', foundationTypes: ['Paper'] })
    await blueprints.put({ kind: 'foundation', name: 'leaf', parents: ['paper'] })
    await blueprints.put({ kind: 'structure', name: 'base', foundationBlueprints: ['metal'] })
    await blueprints.put({ kind: 'structure', name: 'web', parents: ['base'] })
    const found = (locator: string, blueprint: string) =>
      foundations.create({ locator, type: 'Lathe', site: 'lab', blueprint, fields: { serial: locator } })
    await found('m1', 'rack')
    await found('m2', 'other')
    await expect(found('m3', 'leaf')).rejects.toThrow("BluePrint 'leaf' is for Foundations of type Paper, not Lathe")
    const stand = (hostname: string, foundation: string) =>
      structures.create({ hostname, site: 'lab', blueprint: 'web', foundation })
    await stand('one', 'm1')
    await expect(stand('two', 'm2')).rejects.toThrow("BluePrint 'web' may stand on metal; Foundation 'm2' is a 'other'")
  })
})

describe('deleting', () => {
  it('a BluePrint is refused while something needs it, names that, and keeps the history of its values', async () => {
    const { contractor, stack } = await openShop()
    const { blueprints } = contractor
    await stack({})
    await blueprints.put({ kind: 'foundation', name: 'shelf', configValues: { depth: 60 } })
    await blueprints.put({ kind: 'foundation', name: 'low-shelf', parents: ['shelf'] })
    await blueprints.put({ kind: 'structure', name: 'book', foundationBlueprints: ['shelf'] })
    await expect(blueprints.delete('shelf')).rejects.toMatchObject({
      code: 'IN_USE',
      message:
        "BluePrint 'shelf' cannot be deleted: BluePrint low-shelf (inherits from it), BluePrint book (may stand on it) need it",
      data: { by: ['BluePrint low-shelf (inherits from it)', 'BluePrint book (may stand on it)'] },
    })
    await expect(blueprints.delete('one-base')).rejects.toMatchObject({ data: { by: ['Foundation one'] } })
    await expect(blueprints.delete('one-top')).rejects.toMatchObject({ data: { by: ['Structure one'] } })
    await expect(blueprints.delete('nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' })

    await blueprints.delete('low-shelf')
    await blueprints.delete('book')
    await blueprints.delete('shelf', { by: 'ann' })
    await expect(blueprints.get('shelf')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await contractor.configChanges.list({ blueprint: 'shelf' })).items).toMatchObject([
      { by: 'ann', key: 'depth', before: 60 },
      { by: 'sdk', key: 'depth', after: 60 },
    ])
    expect((await contractor.events.list({ limit: 1000 })).at(-1)).toMatchObject({
      type: 'blueprint.deleted',
      by: 'ann',
      data: { blueprint: 'shelf' },
    })
  })

  it('a Script is refused while a BluePrint or a Dependency names it; a Job under way keeps its program', async () => {
    const { contractor, stack } = await openShop()
    const { scripts, blueprints } = contractor
    const { structure, foundation } = await stack({ create: "pause( msg='wait' )\nmessage( msg='still here' )" })
    await stack({}, 'two')
    await scripts.put({ name: 'between', source: '' })
    await contractor.dependencies.create({ foundation: 'two', structure: structure.id, createScript: 'between' })
    await expect(scripts.delete('between')).rejects.toMatchObject({
      code: 'IN_USE',
      message: "Script 'between' cannot be deleted: Dependency 1 names it",
    })
    await expect(scripts.delete('one-create')).rejects.toMatchObject({ data: { by: ['BluePrint one-top'] } })
    await expect(scripts.delete('nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' })

    await foundation.setBuilt()
    const job = await structure.doCreate()
    await contractor.foreman.runDue()
    await blueprints.put({ kind: 'structure', name: 'one-top' })
    await scripts.delete('one-create')
    await expect(scripts.get('one-create')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await job.resume()
    await contractor.foreman.runDue()
    expect((await contractor.events.list({ job: job.id })).map(event => event.data.message)).toContain('still here')
  })

  it.each(databaseKinds)('waits for who is about to use it, and then is refused: $kind', async kind => {
    const { contractor } = await openShop(kind)
    const { blueprints } = contractor
    await blueprints.put({ kind: 'structure', name: 'base' })
    const results = await Promise.allSettled([
      blueprints.put({ kind: 'structure', name: 'web', parents: ['base'] }),
      blueprints.delete('base'),
    ])
    // Whichever came first, the other one is refused, and nothing points to what is gone.
    expect(results.filter(one => one.status === 'rejected')).toMatchObject([
      { reason: { code: expect.stringMatching(/^(IN_USE|NOT_FOUND)$/) } },
    ])
  })
})
