import { host, port } from '@contractor/driver'
import { defineComplex, secret } from '@contractor/plugin'
import { z } from 'zod'

const pem = z
  .string()
  .max(100_000)
  .regex(/-----BEGIN [A-Z ]+-----[\s\S]+-----END [A-Z ]+-----/, 'must be a PEM text')

/** `unix:///var/run/docker.sock` or `tcp://host:2376`. */
const dockerHost = z.string().transform((text, context) => {
  const [, path] = /^unix:\/\/(\/[^\0]+)$/.exec(text) ?? []
  const [, name = '', digits = ''] = /^tcp:\/\/(\[[0-9a-fA-F:]+\]|[^:/]+):(\d+)$/.exec(text) ?? []
  if (
    path !== undefined ||
    (host.safeParse(name.replace(/^\[|\]$/g, '')).success && port.safeParse(Number(digits)).success)
  )
    return text
  context.addIssue({ code: 'custom', message: 'must be unix:///PATH or tcp://HOST:PORT' })
  return z.NEVER
})

/** The host ports that containers may have: `20000-29999`. */
const portPool = z.string().transform((text, context) => {
  const [, first = 0, last = 0] = (/^(\d+)-(\d+)$/.exec(text) ?? []).map(Number)
  if (port.safeParse(first).success && port.safeParse(last).success && first <= last) return text
  context.addIssue({ code: 'custom', message: 'must be FIRST-LAST, two port numbers' })
  return z.NEVER
})

export const dockerComplex = defineComplex({
  type: 'Docker',
  description: 'A host with a Docker daemon, as its agent reaches it',
  fields: z.object({
    docker_host: dockerHost.default('unix:///var/run/docker.sock'),
    docker_ca: pem.optional().describe('Who vouches for the daemon: with it, the daemon is spoken to by TLS'),
    docker_cert: pem.optional().describe('What shows the daemon who is there'),
    docker_key: secret(pem).optional(),
    docker_ports: portPool.default('20000-29999').describe('The host ports that its containers may have'),
    docker_registry: z
      .string()
      .max(253)
      .optional()
      .describe('The registry that needs a login, as registry.example.com:5000'),
    docker_registry_username: z.string().max(200).optional(),
    docker_registry_password: secret(z.string().max(2000)).optional(),
  }),
})
export type ComplexFields = z.output<typeof dockerComplex.fields>

/** What leads to a daemon. */
export const connection = z.object({
  host: dockerHost,
  ca: pem.nullable(),
  cert: pem.nullable(),
  key: secret(pem).nullable(),
})
export type Connection = z.output<typeof connection>

export const connectionOf = (own: ComplexFields): Connection => ({
  host: own.docker_host,
  ca: own.docker_ca ?? null,
  cert: own.docker_cert ?? null,
  key: own.docker_key ?? null,
})

/** Who pulls from a registry. */
export const registryLogin = z.object({ registry: z.string(), username: z.string(), password: secret(z.string()) })
export type RegistryLogin = z.output<typeof registryLogin>

export function loginOf(own: ComplexFields): RegistryLogin | null {
  const { docker_registry: registry, docker_registry_username: username, docker_registry_password: password } = own
  return registry !== undefined && username !== undefined && password !== undefined
    ? { registry, username, password }
    : null
}
