import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createHandlerContext } from '@contractor/plugin/testing'
import { expect, it, onTestFinished } from 'vitest'
import { freePort } from '../../../../test/embedded-postgres.ts'
import { missingPrograms, startNamed } from '../../../core/test/dns-named.ts'
import { handlers } from './handlers/index.ts'

const required = process.env.CONTRACTOR_REQUIRE_REAL === '1'

it.skipIf(missingPrograms.length > 0 && !required)(
  'dns_check asks a name server for records of each type (needs named, of package bind9)',
  async () => {
    const named = await startNamed(async folder => {
      await writeFile(
        join(folder, 'lab.zone'),
        `$TTL 60
@ IN SOA ns hostmaster 1 60 60 60 60
@ IN NS ns
ns IN A 127.0.0.1
web IN A 10.0.0.2
web IN A 10.0.0.1
web IN AAAA 2001:db8::1
@ IN MX 10 web
text IN TXT "one" "two"
_http._tcp IN SRV 1 2 80 web
`,
      )
      return `zone "lab.test" { type primary; file "${join(folder, 'lab.zone')}"; };`
    })
    onTestFinished(() => named.stop())
    const ask = (name: string, type: string, port = named.port) =>
      handlers.run('dns_check', { name, type, server: `127.0.0.1:${port}`, expected: null }, createHandlerContext())
    expect(await ask('web.lab.test', 'A')).toEqual({ records: ['10.0.0.1', '10.0.0.2'], seen: '' })
    expect(await ask('web.lab.test', 'AAAA')).toEqual({ records: ['2001:db8::1'], seen: '' })
    expect(await ask('lab.test', 'MX')).toEqual({ records: ['web.lab.test 10'], seen: '' })
    expect(await ask('text.lab.test', 'TXT')).toEqual({ records: ['onetwo'], seen: '' })
    expect(await ask('_http._tcp.lab.test', 'SRV')).toEqual({ records: ['web.lab.test 80 1 2'], seen: '' })
    expect(await ask('nobody.lab.test', 'A')).toEqual({ records: [], seen: 'there is no such name' })
    expect(await ask('text.lab.test', 'A')).toEqual({ records: [], seen: 'it has no such records' })
    expect(await ask('web.elsewhere.test', 'A')).toEqual({ records: [], seen: 'the name server refuses' })
    expect(await ask('web.lab.test', 'A', await freePort())).toEqual({ records: [], seen: 'no name server answers' })
  },
)
