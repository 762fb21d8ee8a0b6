import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pluginLaws } from '@contractor/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { reckon } from './ledger.ts'
import { handlers } from './plugin/handlers.ts'
import { page } from './plugin/index.ts'

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
    const context = { signal: new AbortController().signal, taskId: 1, attempt: 1, log: () => undefined }
    const params = { page: 'one', step: 1, callId: 'a' }
    expect(await handlers.run('look', params, context)).toEqual({ isWritten: false })
    await handlers.run('write', params, context)
    await handlers.run('write', params, context)
    expect(await handlers.run('look', params, context)).toEqual({ isWritten: true })
    expect(await handlers.run('look', { ...params, callId: 'b' }, context)).toEqual({ isWritten: false })
    expect((await reckon(folder, ['one'], 1)).doubled).toEqual(['one 1'])
  })
})

describe('the plugin of the chaos test', () => {
  const replies = { write: [{ step: 1 }], look: [{ isWritten: true }, { isWritten: false }] }
  for (const law of pluginLaws(page, handlers, { args: { write: [{ step: 1 }] }, replies })) it(law.name, law.run)
})
