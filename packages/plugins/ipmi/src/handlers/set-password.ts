import { deviceError } from '@contractor/driver'
import { isContractorError } from '@contractor/plugin'
import type { z } from 'zod'
import type { tasks } from '../tasks.ts'
import { createBmc } from './bmc.ts'

/** IPMI keeps 20 bytes (IPMI 2.0, section 22.30), and ipmitool reads words: none that it would cut or split. */
const longest = 20
const readable = /^[!$-&(-[\]-~]+$/

export async function setPassword(
  wanted: z.output<(typeof tasks)['set_password']['params']>,
  signal: AbortSignal,
): Promise<Record<string, never>> {
  const { user, new_password: renewed, channel, host } = wanted
  const device = `BMC ${host}`
  if (renewed.length > longest || !readable.test(renewed)) {
    const rule = `a password has ${longest} characters at the most, without spaces, quotes, # and \\`
    throw deviceError('DEVICE_REFUSED', device, rule)
  }
  const after = createBmc({ ...wanted, username: user, password: renewed }, { signal })
  const takes = () =>
    after.power().then(
      () => true,
      error => {
        if (isContractorError(error, 'DEVICE_UNAUTHENTICATED')) return false
        throw error
      },
    )
  // An attempt before may have been taken, and its answer lost: then the old one is worth nothing any more.
  if (await takes()) return {}
  const bmc = createBmc(wanted, { signal })
  const users = await bmc.run(['user', 'list', String(channel)], { isTable: true })
  const ids = users.split('\n').map(line => line.split(','))
  const id = ids.find(cells => cells[1] === user)?.[0]
  if (!id) throw deviceError('DEVICE_REFUSED', device, `it has no user '${user}'`)
  await bmc.run(['exec', '/dev/fd/4'], { secrets: [`user set password ${id} ${renewed} ${longest}\n`] })
  if (await takes()) return {}
  throw deviceError('DEVICE_REFUSED', device, `it has taken the new password of '${user}', and does not know it`)
}
