import { fingerprint } from '@contractor/driver'
import { type ComplexContext, defineComplex, secret } from '@contractor/plugin'
import { z } from 'zod'

/** Azure takes these in any case, and gives them back in another one: they are kept in lower case. */
const lower = (pattern: RegExp, message: string) =>
  z
    .string()
    .transform(text => text.toLowerCase())
    .pipe(z.string().regex(pattern, message))
const uuid = lower(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'must be a UUID')
const location = lower(/^[a-z0-9]{1,40}$/, 'must be a location, as germanywestcentral')
const resourceGroup = lower(/^[a-z0-9._()-]{0,89}[a-z0-9_()-]$/, 'must be the name of a resource group')
const endpoint = z.url({ protocol: /^https$/ }).transform(url => url.replace(/\/+$/, ''))
const pin = z.union([z.literal('any'), fingerprint])
/** A secret of an application keeps its capitals. */
const password = secret(z.string().min(1).max(500))

export const azureComplex = defineComplex({
  type: 'Azure',
  description: 'A resource group of an Azure subscription, with an application that may make machines in it',
  fields: z.object({
    azure_subscription_id: uuid,
    azure_tenant_id: uuid,
    azure_client_id: uuid.describe('The application (client) id of a service principal'),
    azure_password: password.describe('A client secret of that application'),
    azure_location: location,
    azure_resource_group: resourceGroup,
    azure_login_endpoint: endpoint
      .default('https://login.microsoftonline.com')
      .describe('Who gives tokens; national clouds have their own'),
    azure_management_endpoint: endpoint.default('https://management.azure.com'),
    azure_fingerprint: pin
      .nullable()
      .default(null)
      .describe('The SHA-256 of the certificate of both, where the agent’s machine does not trust it'),
  }),
})
export type ComplexFields = z.output<typeof azureComplex.fields>

/** What leads to a resource group. */
export const connection = z.object({
  subscription_id: uuid,
  tenant_id: uuid,
  client_id: uuid,
  password,
  location,
  resource_group: resourceGroup,
  login_endpoint: endpoint,
  management_endpoint: endpoint,
  fingerprint: pin.nullable(),
})
export type Connection = z.output<typeof connection>

export const connectionOf = ({ fields: own }: ComplexContext<ComplexFields>): Connection => ({
  subscription_id: own.azure_subscription_id,
  tenant_id: own.azure_tenant_id,
  client_id: own.azure_client_id,
  password: own.azure_password,
  location: own.azure_location,
  resource_group: own.azure_resource_group,
  login_endpoint: own.azure_login_endpoint,
  management_endpoint: own.azure_management_endpoint,
  fingerprint: own.azure_fingerprint,
})

/** What a machine can be called: its host name is made of it. */
export const resourceName = z
  .string()
  .regex(
    /^[a-zA-Z]([a-zA-Z0-9_-]{0,62}[a-zA-Z0-9])?$/,
    'must be letters, digits, - and _, beginning with a letter and not ending with - or _, 64 at the most',
  )
