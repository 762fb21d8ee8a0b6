import { createHash, randomBytes } from 'node:crypto'
import { XMLParser } from 'fast-xml-parser'
import { type FakeAnswer, type FakeRequest, type FakeServer, startFakeServer } from '../../../../test/fake-device.ts'
import type { quirks } from '../src/quirks.ts'

type Quirk = (typeof quirks)[number]['name']

/**
 * Intel AMT, as strict as its digest authentication and WS-Management are: nonces are its own and count, headers, selectors and
 * inputs are what its classes have. It has the quirks that it is told.
 */
export interface FakeAmt extends FakeServer {
  readonly username: string
  readonly password: string
  /** As CIM numbers it. */
  powerState: number
  /** What it says that came of the next changes, in place of doing them. */
  readonly returns: number[]
  /** The states that were asked for. */
  readonly told: number[]
  readonly quirks: Set<Quirk>
  /** How often it asked who is there. */
  challenges: number
  /** Header lines that were seen, to see what they hold. */
  readonly authorizations: string[]
}

const cim = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/'
const realm = 'Digest:A4070000000000000000000000000000'
const parser = new XMLParser({ ignoreAttributes: false, removeNSPrefix: true, parseTagValue: false })

type Node = Record<string, unknown>
const nodeOf = (value: unknown): Node => (typeof value === 'object' && value !== null ? (value as Node) : {})
const textOf = (value: unknown): string => (typeof value === 'string' ? value : String(nodeOf(value)['#text'] ?? ''))

export async function startAmt({ tls = false } = {}): Promise<FakeAmt> {
  const nonces = new Map<string, number>()
  const server = await startFakeServer({
    tls,
    answer: request => answer(fake, nonces, request),
    // What is asked first is asked without a name.
    canFail: ({ headers }) => headers.authorization !== undefined,
  })
  const fake: FakeAmt = {
    ...server,
    ...{ username: 'admin', password: 'Geheim-12!', powerState: 8, returns: [], told: [], challenges: 0 },
    quirks: new Set(),
    authorizations: [],
  }
  return fake
}

function answer(fake: FakeAmt, nonces: Map<string, number>, request: FakeRequest): FakeAnswer {
  const { method, path, headers, text } = request
  if (path !== '/wsman') return { status: 404, body: 'Not found' }
  if (method !== 'POST') return { status: 405, body: 'Method not allowed' }
  const refused = authenticate(fake, nonces, request)
  if (refused) return refused
  if (!headers['content-type']?.startsWith('application/soap+xml'))
    return { status: 415, body: 'Unsupported media type' }
  const envelope = nodeOf(nodeOf(parser.parse(text)).Envelope)
  const header = nodeOf(envelope.Header)
  const action = textOf(header.Action)
  const className = textOf(header.ResourceURI).replace(cim, '')
  const selectors = selectorsOf(header.SelectorSet)
  if (!textOf(header.MessageID).startsWith('uuid:'))
    return fault('InvalidMessageInformationHeader', 'There is no message id.')
  if (action.endsWith('/transfer/Get')) return get(fake, className, selectors)
  if (
    action !== `${cim}CIM_PowerManagementService/RequestPowerStateChange` ||
    className !== 'CIM_PowerManagementService'
  )
    return fault('ActionNotSupported', 'The action is not supported by the service.')
  return change(fake, selectors, nodeOf(nodeOf(envelope.Body).RequestPowerStateChange_INPUT))
}

const md5 = (text: string) => createHash('md5').update(text).digest('hex')

function authenticate(fake: FakeAmt, nonces: Map<string, number>, { headers }: FakeRequest): FakeAnswer | undefined {
  const challenge = (isStale: boolean): FakeAnswer => {
    const nonce = randomBytes(12).toString('base64')
    nonces.set(nonce, 0)
    fake.challenges++
    const asks = `Digest realm="${realm}", nonce="${nonce}",stale="${isStale}",qop="auth"`
    const closes: Record<string, string> = fake.quirks.has('closes-after-asking') ? { Connection: 'close' } : {}
    return { status: 401, headers: { 'WWW-Authenticate': asks, ...closes }, body: '<html>Unauthorized</html>' }
  }
  const { authorization } = headers
  if (authorization === undefined) return challenge(false)
  fake.authorizations.push(authorization)
  const given = Object.fromEntries(
    [...authorization.replace(/^Digest /, '').matchAll(/(\w+)=(?:"([^"]*)"|([^,\s]+))/g)].map(
      ([, name, quoted, plain]) => [name, quoted ?? plain],
    ),
  ) as Record<string, string>
  const { username, nonce = '', uri, nc = '', cnonce, qop, response } = given
  const used = nonces.get(nonce)
  if (used === undefined || !/^[0-9a-f]{8}$/.test(nc) || Number.parseInt(nc, 16) <= used) return challenge(true)
  const expected = md5(
    [md5(`${fake.username}:${realm}:${fake.password}`), nonce, nc, cnonce, 'auth', md5('POST:/wsman')].join(':'),
  )
  if (username !== fake.username || uri !== '/wsman' || qop !== 'auth' || !cnonce || response !== expected)
    return challenge(false)
  nonces.set(nonce, Number.parseInt(nc, 16))
  if (fake.quirks.has('nonce-goes-stale')) {
    fake.quirks.delete('nonce-goes-stale')
    nonces.delete(nonce)
    return challenge(true)
  }
  return undefined
}

function selectorsOf(set: unknown): Record<string, string> {
  const { Selector: found = [] } = nodeOf(set)
  const all = Array.isArray(found) ? found : [found]
  return Object.fromEntries(all.map(one => [textOf(nodeOf(one)['@_Name']), textOf(one)]))
}

const envelope = (body: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?><a:Envelope xmlns:a="http://www.w3.org/2003/05/soap-envelope" xmlns:b="http://schemas.xmlsoap.org/ws/2004/08/addressing"><a:Header><b:RelatesTo>1</b:RelatesTo></a:Header><a:Body>${body}</a:Body></a:Envelope>`

const soap = (status: number, body: string): FakeAnswer => ({
  ...{ status, headers: { 'Content-Type': 'application/soap+xml; charset=UTF-8' }, body: envelope(body) },
})

const fault = (subcode: string, words: string): FakeAnswer =>
  soap(
    400,
    `<a:Fault><a:Code><a:Value>a:Sender</a:Value><a:Subcode><a:Value>e:${subcode}</a:Value></a:Subcode></a:Code><a:Reason><a:Text xml:lang="en-US">${words}</a:Text></a:Reason><a:Detail/></a:Fault>`,
  )

function get(fake: FakeAmt, className: string, selectors: Record<string, string>): FakeAnswer {
  const instance = (fields: Record<string, string | number>) => {
    const inner = Object.entries(fields).map(([name, value]) => `<g:${name}>${value}</g:${name}>`)
    return soap(200, `<g:${className} xmlns:g="${cim}${className}">${inner.join('')}</g:${className}>`)
  }
  if (className === 'CIM_AssociatedPowerManagementService') return instance({ PowerState: fake.powerState })
  if (className === 'CIM_Chassis' && selectors.Tag === 'CIM_Chassis')
    return instance({ Manufacturer: 'ACME', Model: 'NUC', SerialNumber: 'S-1' })
  if (className === 'CIM_SoftwareIdentity' && selectors.InstanceID === 'AMT')
    return instance({ VersionString: '16.1.25' })
  return fault('DestinationUnreachable', 'No route can be determined to reach the destination role.')
}

function change(fake: FakeAmt, selectors: Record<string, string>, input: Node): FakeAnswer {
  const output = (value: number) =>
    soap(
      200,
      `<g:RequestPowerStateChange_OUTPUT xmlns:g="${cim}CIM_PowerManagementService"><g:ReturnValue>${value}</g:ReturnValue></g:RequestPowerStateChange_OUTPUT>`,
    )
  const { ResourceURI, SelectorSet } = nodeOf(nodeOf(input.ManagedElement).ReferenceParameters)
  if (selectors.Name !== 'Intel(r) AMT Power Management Service')
    return fault('InvalidSelectors', 'The selectors are not valid.')
  if (textOf(ResourceURI) !== `${cim}CIM_ComputerSystem` || selectorsOf(SelectorSet).Name !== 'ManagedSystem')
    return output(5)
  const wanted = Number(textOf(input.PowerState))
  fake.told.push(wanted)
  const said = fake.returns.shift()
  if (said !== undefined) return output(said)
  if (![2, 5, 8, 10].includes(wanted)) return output(1)
  // It takes a reset of what is off, and does nothing.
  if (wanted === 10 && fake.powerState !== 2) return output(0)
  fake.powerState = wanted === 8 ? 8 : 2
  return output(0)
}
