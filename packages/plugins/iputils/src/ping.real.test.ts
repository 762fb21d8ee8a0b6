import { spawnSync } from 'node:child_process'
import { createHandlerContext } from '@contractor/plugin/testing'
import { describe, expect, it } from 'vitest'
import { handlers } from './handlers/index.ts'

const missing = spawnSync('ping', ['-V']).error !== undefined
const required = process.env.CONTRACTOR_REQUIRE_REAL === '1'

describe.skipIf(missing && !required)('ping (needs the program ping, of package iputils-ping)', () => {
  it('gets an answer from this machine, and an error for a name that nobody has', async () => {
    const context = createHandlerContext()
    expect(await handlers.run('ping', { target: '127.0.0.1', count: 1 }, context)).toMatchObject({ percent: 100 })
    await expect(handlers.run('ping', { target: 'nobody.invalid', count: 1 }, context)).rejects.toThrow('Cannot ping')
  })
})
