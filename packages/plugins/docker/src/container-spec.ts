import { z } from 'zod'

/** `80`, `80/tcp` or `53/udp`; gives the last two forms. */
export const containerPort = z
  .union([z.string(), z.number()])
  .transform(given => {
    const [number = '', protocol = 'tcp'] = String(given).split('/')
    return `${number}/${protocol}`
  })
  .pipe(z.string().regex(/^([1-9]\d{0,4})\/(tcp|udp|sctp)$/, 'must be a port, as 80, 80/tcp or 53/udp'))

/** An image by tag or digest, as docker takes it. */
export const imageName = z
  .string()
  .max(500)
  .regex(/^[a-z0-9][a-zA-Z0-9._/:-]*(@sha256:[0-9a-f]{64})?$/, 'must be an image, as nginx:1.27 or name@sha256:…')

const mount = z.object({
  /** A volume's name, or a path on the host. */
  source: z.string().min(1).max(1000),
  target: z.string().startsWith('/').max(1000),
  read_only: z.boolean().default(false),
})

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String)

/** What a container is to be. Templates give texts, so numbers may be some. */
export const containerSpec = z.object({
  image: imageName,
  command: z
    .union([z.array(text), z.string().transform(line => line.split(/\s+/).filter(Boolean))])
    .nullable()
    .default(null),
  environment_map: z.record(z.string().regex(/^[^=\0]+$/), text).default({}),
  port_list: z.array(containerPort).max(100).default([]),
  mount_list: z.array(mount).max(100).default([]),
  label_map: z.record(z.string(), text).default({}),
  /** In MiB; null for as much as there is. */
  memory_size: z.coerce.number().int().min(6).nullable().default(null),
  /** How many CPUs' time; null for as much as there is. */
  cpu_count: z.coerce.number().positive().max(1024).nullable().default(null),
  /** The Docker network that it is in. */
  network: z.string().max(200).nullable().default(null),
  restart: z.enum(['no', 'always', 'unless-stopped', 'on-failure']).default('unless-stopped'),
  hostname: z.string().max(253).nullable().default(null),
})
export type ContainerSpec = z.output<typeof containerSpec>

/** By container port: the host's, or 0 for one of the Complex's pool. */
export const portMap = z.record(containerPort, z.number().int().min(0).max(65535))
export type PortMap = z.output<typeof portMap>
