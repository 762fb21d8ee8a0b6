import { secret } from '@contractor/plugin'
import { z } from 'zod'
import { host, port, userName } from './connection.ts'

/** A host key as `ssh-keygen -lf` shows it, or `any`: then nobody knows whom one speaks to. */
export const hostKey = z
  .string()
  .regex(/^(SHA256:[A-Za-z0-9+/]{43}=?|any)$/, "must be a fingerprint, as SHA256:…, or 'any'")
  .transform(text => text.replace(/=$/, ''))

/** Who logs in where. With neither password nor key: the keys of the agent's own user, and its ssh-agent. */
export const sshLogin = z.object({
  host,
  port: port.default(22),
  /** Null: the agent's own user. */
  username: userName.nullable().default(null),
  password: secret(z.string().min(1)).nullable().default(null),
  private_key: secret(z.string().min(1).max(50_000)).nullable().default(null),
  /** What opens the private key. */
  passphrase: secret(z.string().min(1)).nullable().default(null),
  /** Null: what the agent's own known_hosts says. */
  host_key: hostKey.nullable().default(null),
})
export type SshLogin = z.output<typeof sshLogin>

export const sshConnection = sshLogin.extend({
  /** The machine through which it is reached. */
  jump: sshLogin.nullable().default(null),
})
export type SshConnection = z.output<typeof sshConnection>
