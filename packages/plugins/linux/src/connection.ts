import { host, hostKey, port, type sshConnection, userName } from '@contractor/driver'
import type { FunctionContext } from '@contractor/plugin'
import { z } from 'zod'

/** Templates give texts, so a number may be one. */
const numeric = z
  .union([z.number(), z.string().regex(/^\d{1,5}$/, 'must be a number')])
  .transform(Number)
  .pipe(port)

/** Whatever is not said, or said to be nothing. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess(given => (given === undefined || given === '' ? null : given), schema.nullable())

/** Of the target's config: who logs in where. A secret is a reference here, and opened for the handler alone. */
const names = {
  ssh_host: host,
  ssh_port: numeric.default(22),
  ssh_username: userName.default('root'),
  ssh_password: optional(z.string()),
  ssh_private_key: optional(z.string()),
  ssh_passphrase: optional(z.string()),
  ssh_host_key: optional(hostKey),
  ssh_jump: optional(z.record(z.string(), z.json())),
}

/** What leads to the machine, by its config. */
export function connectionOf(context: FunctionContext): z.input<typeof sshConnection> {
  const given = Object.fromEntries(Object.keys(names).map(name => [name, context.config(name)]))
  const read = z.object(names).safeParse(given)
  if (!read.success) {
    const [{ path, message } = { path: [], message: '' }] = read.error.issues
    const whose = context.structure?.hostname ?? context.foundation.locator
    throw new Error(`the config of ${whose} does not say how the machine is reached: ${path.join('.')}: ${message}`)
  }
  const { ssh_host, ssh_port, ssh_username, ssh_password, ssh_private_key, ssh_passphrase, ssh_host_key, ssh_jump } =
    read.data
  return {
    ...{ host: ssh_host, port: ssh_port, username: ssh_username, password: ssh_password },
    ...{ private_key: ssh_private_key, passphrase: ssh_passphrase, host_key: ssh_host_key },
    // Its form is the Task's own to check.
    jump: ssh_jump as z.input<typeof sshConnection>['jump'],
  }
}
