import { type FunctionContext, type Json, parseInput, secret } from '@contractor/plugin'
import { z } from 'zod'

/** Templates give texts: numbers and truths may be some. */
const count = z.coerce.number().int().min(1)
const truth = z.union([z.boolean(), z.enum(['true', 'false', 'True', 'False']).transform(text => /^t/i.test(text))])
const text = z.union([z.string(), z.number(), z.boolean()]).transform(String)
const id = (kind: string) =>
  z.string().regex(new RegExp(`^${kind}-[0-9a-f]{8,17}$`), `must be an id that begins with ${kind}-`)

const volume = z.object({
  /** As the image names it: the root volume's own name changes that one. */
  device: z.string().regex(/^[a-z0-9/]{2,32}$/, 'must be a device, as /dev/xvda'),
  /** In GiB. */
  size: count.max(65_536).nullable().default(null),
  type: z.enum(['standard', 'gp2', 'gp3', 'io1', 'io2', 'st1', 'sc1']).default('gp3'),
  iops: count.max(256_000).nullable().default(null),
  encrypted: truth.nullable().default(null),
  delete_on_termination: truth.default(true),
})

/** What an instance is to be. Null: as the launch template, the image or the subnet says. */
export const instanceSpec = z
  .object({
    // Whatever it is called: EC2 itself says what is no image.
    image_id: z.string().min(1).max(100).nullable().default(null),
    type: z.string().min(1).max(100).nullable().default(null),
    /** By its id, or its name. */
    launch_template: z.string().min(3).max(128).nullable().default(null),
    launch_template_version: text.nullable().default(null),
    subnet_id: id('subnet').nullable().default(null),
    security_group_list: z.array(id('sg')).max(16).default([]),
    public_ip: truth.nullable().default(null),
    key_name: z.string().min(1).max(255).nullable().default(null),
    /** What it runs as it first starts; EC2 takes 16 KiB. */
    user_data: secret(z.string().max(16_384)).nullable().default(null),
    // Keys that begin with `aws:` are EC2's own, and `contractor.` ours.
    tag_map: z.record(z.string().regex(/^(?!aws:|contractor\.).{1,128}$/, 'must be a tag’s key'), text).default({}),
    volume_list: z.array(volume).max(26).default([]),
    /** The allocation of the address that it gets. */
    elastic_ip: id('eipalloc').nullable().default(null),
    /** Its instance profile, by name or ARN. */
    iam_profile: z.string().min(1).max(2048).nullable().default(null),
  })
  .refine(
    ({ image_id, type, launch_template }) => launch_template !== null || (image_id !== null && type !== null),
    'needs awsec2_image_id and awsec2_type, or an awsec2_launch_template',
  )
export type InstanceSpec = z.output<typeof instanceSpec>

/** In which config values it is written. */
const keys = Object.keys(instanceSpec.shape).map(name => [name, `awsec2_${name}`] as const)

/** What the target's config says an instance is to be; throws VALIDATION_FAILED, which names what is wrong. */
export function specOf({ config }: Pick<FunctionContext, 'config'>): InstanceSpec {
  const given = keys.map(([name, key]) => [name, config(key)] as const)
  const said = given.filter((pair): pair is [keyof InstanceSpec, Json] => pair[1] !== undefined)
  return parseInput(instanceSpec, Object.fromEntries(said), 'What the config says of the instance (awsec2_…)')
}
