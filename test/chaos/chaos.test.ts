import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHandlerContext, pluginLaws } from '@contractor/plugin/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { reckon } from './ledger.ts'
import { handlers } from './plugin/handlers.ts'
import { page } from './plugin/index.ts'
import { longestGapMs } from './stall.ts'
import { countStrangers } from './stranger-counts.ts'
import { compareEvents, type Seen } from './watcher.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'contractor-ledger-'))
  process.env.CHAOS_LEDGER = folder
})
afterEach(async () => {
  delete process.env.CHAOS_LEDGER
  await rm(folder, { recursive: true, force: true })
})

describe('the ledger', () => {
  it('shows what was done once, twice, never, and by nobody’s order', async () => {
    await writeFile(join(folder, 'one'), '1 a 7\n2 b 7\n2 c 8\n')
    await writeFile(join(folder, 'two'), '3 d 7\n1 e 7\n')
    expect(await reckon(folder, ['one', 'two'], 2)).toEqual({
      effects: 5,
      missing: ['two 2'],
      doubled: ['one 2'],
      strange: ['two 3'],
    })
  })

  it('gets a line for each time that a handler is run, and can be looked at', async () => {
    const context = createHandlerContext()
    const params = { page: 'one', step: 1, callId: 'a' }
    expect(await handlers.run('look', params, context)).toEqual({ isWritten: false })
    await handlers.run('write', params, context)
    await handlers.run('write', params, context)
    expect(await handlers.run('look', params, context)).toEqual({ isWritten: true })
    expect(await handlers.run('look', { ...params, callId: 'b' }, context)).toEqual({ isWritten: false })
    expect((await reckon(folder, ['one'], 1)).doubled).toEqual(['one 1'])
  })
})

describe('the watcher', () => {
  const at = (place: number | null): Seen => ({ place, type: 'job.progress', job: 7 })

  it('has seen all that there is, once and in its order', () => {
    expect(compareEvents([at(1), at(2)], [at(1), at(2)])).toMatchObject({ isComplete: true, events: 2 })
  })

  it('shows what it missed, saw twice, and saw though it is not there', () => {
    const { isComplete, missing, doubled, strange } = compareEvents([at(1), at(1), at(3)], [at(1), at(2), at(null)])
    expect({ isComplete, missing, doubled, strange }).toEqual({
      isComplete: false,
      missing: ['2 job.progress 7', '- job.progress 7'],
      doubled: ['1 job.progress 7'],
      strange: ['3 job.progress 7'],
    })
  })

  it('must see them in their order', () => {
    expect(compareEvents([at(2), at(1)], [at(1), at(2)])).toMatchObject({ isComplete: false, isInOrder: false })
  })
})

describe('a stall', () => {
  it('is the longest time within a span in which nothing was noted', () => {
    expect(longestGapMs([50, 12, 10, 90], 10, 60)).toBe(38)
    expect(longestGapMs([20], 10, 60)).toBe(40)
    expect(longestGapMs([], 10, 60)).toBe(50)
  })
})

describe('the strangers', () => {
  it('are counted by their own log, and by what the servers say of them', async () => {
    const logs = { strangers: join(folder, 'strangers'), servers: [join(folder, 'server')] }
    const held = { kind: 'session', statement: 'select 1', rows: 1, sinceMs: 10_000, ms: 8_000, lateSinceMs: 11_000 }
    const { lateSinceMs: _, ...idle } = held
    const others = [{ ...held, kind: 'prepared' }, { ...idle, kind: 'lock' }, idle, { ...held, lateSinceMs: 16_000 }]
    await writeFile(logs.strangers, ['ended: 1', ...[held, ...others].map(one => JSON.stringify(one)), ''].join('\n'))
    const told = 'now warn A transaction holds up Jobs; all others go on holder="…"'
    await writeFile(
      logs.servers[0] as string,
      `${told} pid=7 application="stranger"\n${told} pid=8 application="own"\n`,
    )
    const counts = { strangers: 4, prepared: 1, locks: 1, named: { sessions: 1, prepared: 0 } }
    expect(await countStrangers(logs, [])).toEqual({ ...counts, heldUp: { sessions: 1, prepared: 1 } })
    // Again and again nobody was there to go on.
    expect(await countStrangers(logs, [12_000, 14_000, 16_000])).toEqual({
      ...counts,
      heldUp: { sessions: 0, prepared: 0 },
    })
  })
})

describe('the plugin of the chaos test', () => {
  const replies = { write: [{ step: 1 }], look: [{ isWritten: true }, { isWritten: false }] }
  for (const law of pluginLaws(page, handlers, { args: { write: [{ step: 1 }] }, replies })) it(law.name, law.run)
})
