import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { quirks } from '../src/quirks.ts'

type Quirk = (typeof quirks)[number]['name']
type Body = Record<string, unknown>
type Fault = 'cut' | 'rubbish' | 'silent' | { status: number; headers?: Record<string, string> }

const anyFault: readonly Fault[] = ['cut', 'rubbish', 'silent', { status: 503 }]

/**
 * A Redfish service with one system, as strict as the DMTF's schemas: it refuses what it does not know, by the messages of the
 * Base registry (DSP0268), and has the quirks that it is told.
 */
export interface FakeRedfish {
  readonly port: number
  readonly fingerprint: string
  readonly username: string
  readonly password: string
  /** Its resources, by path: a test reads and changes them. */
  readonly resources: Record<string, Body>
  /** Each request but for GET and sessions: `POST /redfish/…`. */
  readonly told: string[]
  /** Sessions that are open now, and how many were opened. */
  readonly sessions: Map<string, string>
  opened: number
  readonly quirks: Set<Quirk>
  /** Answers instead, once each: a status, an answer that is cut short, rubbish, or silence. */
  readonly faults: Fault[]
  /** Of how many answers one is a fault by chance, from 0 to 1. */
  faultRate: number
  stop(): Promise<void>
}

const pem = (name: string) => readFileSync(join(import.meta.dirname, name))
const v1 = '/redfish/v1'
const system = `${v1}/Systems/1`
const cd = `${v1}/Managers/1/VirtualMedia/Cd`
const link = (path: string) => ({ '@odata.id': path })

function initial(): Record<string, Body> {
  return {
    [v1]: { Systems: link(`${v1}/Systems`) },
    [`${v1}/Systems`]: { Members: [link(system)] },
    [system]: {
      Id: '1',
      PowerState: 'Off',
      Manufacturer: 'ACME',
      Model: 'X1',
      SerialNumber: 'S-1',
      UUID: '00000000-0000-0000-0000-000000000001',
      BiosVersion: '2.1',
      ProcessorSummary: { Count: 2 },
      MemorySummary: { TotalSystemMemoryGiB: 64 },
      Status: { Health: 'OK' },
      IndicatorLED: 'Off',
      EthernetInterfaces: link(`${system}/EthernetInterfaces`),
      Bios: link(`${system}/Bios`),
      Boot: { BootSourceOverrideEnabled: 'Disabled', BootSourceOverrideTarget: 'None', BootSourceOverrideMode: 'UEFI' },
      Links: { ManagedBy: [link(`${v1}/Managers/1`)] },
      Actions: {
        '#ComputerSystem.Reset': {
          target: `${system}/Actions/ComputerSystem.Reset`,
          'ResetType@Redfish.AllowableValues': [
            'On',
            'ForceOff',
            'GracefulShutdown',
            'ForceRestart',
            'PushPowerButton',
          ],
        },
      },
    },
    [`${system}/EthernetInterfaces`]: { Members: [link(`${system}/EthernetInterfaces/1`)] },
    [`${system}/EthernetInterfaces/1`]: { PermanentMACAddress: '00:11:22:33:44:55' },
    [`${system}/Bios`]: { Attributes: { BootMode: 'Uefi', NumLock: true } },
    [`${v1}/Managers/1`]: {
      VirtualMedia: link(`${v1}/Managers/1/VirtualMedia`),
      Actions: { '#Manager.Reset': { target: `${v1}/Managers/1/Actions/Manager.Reset` } },
    },
    [`${v1}/Managers/1/VirtualMedia`]: { Members: [link(cd)] },
    [cd]: {
      Id: 'Cd',
      MediaTypes: ['CD', 'DVD'],
      Image: null,
      Inserted: false,
      Actions: {
        '#VirtualMedia.InsertMedia': { target: `${cd}/Actions/VirtualMedia.InsertMedia` },
        '#VirtualMedia.EjectMedia': { target: `${cd}/Actions/VirtualMedia.EjectMedia` },
      },
    },
    [`${v1}/UpdateService`]: {
      FirmwareInventory: link(`${v1}/UpdateService/FirmwareInventory`),
      Actions: { '#UpdateService.SimpleUpdate': { target: `${v1}/UpdateService/Actions/UpdateService.SimpleUpdate` } },
    },
    [`${v1}/UpdateService/FirmwareInventory`]: { Members: [link(`${v1}/UpdateService/FirmwareInventory/BIOS`)] },
    [`${v1}/UpdateService/FirmwareInventory/BIOS`]: { Id: 'BIOS', Name: 'BIOS', Version: '2.1', Updateable: true },
    [`${v1}/EventService/Subscriptions`]: { Members: [] },
  }
}

export async function startRedfish(): Promise<FakeRedfish> {
  const cert = pem('bmc-cert.pem')
  const fake: FakeRedfish = {
    ...{ port: 0, username: 'admin', password: 'geheim-12', opened: 0, told: [], faults: [], faultRate: 0 },
    fingerprint: new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase(),
    resources: initial(),
    sessions: new Map(),
    quirks: new Set(),
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  const server = createServer({ cert, key: pem('bmc-key.pem') }, (request, response) => {
    void handle(fake, request, response).catch(error => response.writeHead(500).end(String(error)))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(fake, { port: (server.address() as AddressInfo).port })
}

async function handle(fake: FakeRedfish, request: IncomingMessage, response: ServerResponse): Promise<unknown> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const text = Buffer.concat(parts).toString('utf8')
  const { method = 'GET', url: path = '/' } = request
  const send = (status: number, body?: Body, headers: Record<string, string> = {}) => {
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers })
    response.end(body === undefined ? '' : JSON.stringify(body))
  }
  const refuse = (status: number, id: string, message: string) =>
    send(status, {
      error: {
        code: `Base.1.18.${id}`,
        message,
        '@Message.ExtendedInfo': [{ MessageId: `Base.1.18.${id}`, Message: message }],
      },
    })

  const isSession = path.startsWith(`${v1}/SessionService/Sessions`)
  if (!isSession) {
    const isUnlucky = Math.random() < fake.faultRate
    const fault = fake.faults.shift() ?? (isUnlucky ? anyFault[Math.floor(Math.random() * anyFault.length)] : undefined)
    if (fault === 'silent') return
    if (fault === 'rubbish') return void response.writeHead(200).end('<html>please log in</html>')
    if (fault === 'cut') {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' }).write('{"Members": [')
      return void response.destroy()
    }
    if (fault) return send(fault.status, { error: { message: 'a fault' } }, fault.headers)
  }

  let body: Body = {}
  if (text) {
    try {
      body = JSON.parse(text) as Body
    } catch {
      return refuse(400, 'MalformedJSON', 'The request body is malformed.')
    }
  }
  if (isSession) return handleSession(fake, method, path, body, send, refuse, request)

  const token = String(request.headers['x-auth-token'] ?? '')
  const basic = `Basic ${Buffer.from(`${fake.username}:${fake.password}`).toString('base64')}`
  if (!fake.sessions.has(token) && request.headers.authorization !== basic)
    return refuse(401, 'NoValidSession', 'There is no valid session.')
  if (fake.quirks.has('session-lost')) {
    fake.quirks.delete('session-lost')
    fake.sessions.delete(token)
    return refuse(401, 'NoValidSession', 'There is no valid session.')
  }
  if (method !== 'GET') {
    fake.told.push(`${method} ${path}`)
    if (fake.quirks.has('redirects-changes') && !path.endsWith('/moved'))
      return send(308, undefined, { Location: `${path}/moved` })
  }
  const at = path.replace(/\/moved$/, '').replace(/\/$/, '')
  const etag = `W/"${JSON.stringify(fake.resources[at] ?? {}).length}"`
  if (method === 'GET') {
    const found = fake.resources[at]
    if (!found) return refuse(404, 'ResourceMissingAtURI', `The resource at ${at} was not found.`)
    return send(200, { '@odata.id': at, ...found }, { ETag: fake.quirks.has('empty-etag') ? '""' : etag })
  }
  const match = request.headers['if-match']
  if (match === '""') return refuse(412, 'PreconditionFailed', 'The ETag is empty.')
  if (match !== undefined && fake.quirks.has('etag-changes')) {
    fake.quirks.delete('etag-changes')
    return refuse(412, 'PreconditionFailed', 'The ETag does not match.')
  }
  if (method === 'PATCH') return handlePatch(fake, at, body, send, refuse)
  if (method === 'DELETE') {
    if (!fake.resources[at]) return refuse(404, 'ResourceMissingAtURI', 'It was not found.')
    delete fake.resources[at]
    const list = fake.resources[`${v1}/EventService/Subscriptions`] as { Members: { '@odata.id': string }[] }
    list.Members = list.Members.filter(one => one['@odata.id'] !== at)
    return send(204)
  }
  return handlePost(fake, at, body, send, refuse)
}

type Send = (status: number, body?: Body, headers?: Record<string, string>) => unknown
type Refuse = (status: number, id: string, message: string) => unknown

function handleSession(
  fake: FakeRedfish,
  method: string,
  path: string,
  body: Body,
  send: Send,
  refuse: Refuse,
  request: IncomingMessage,
): unknown {
  if (fake.quirks.has('no-session-service')) return refuse(404, 'ResourceMissingAtURI', 'There is no session service.')
  if (method === 'DELETE') {
    const token = [...fake.sessions].find(([, at]) => at === path)?.[0]
    if (token === undefined || request.headers['x-auth-token'] !== token)
      return refuse(404, 'ResourceMissingAtURI', 'There is no such session.')
    fake.sessions.delete(token)
    return send(204)
  }
  if (method !== 'POST') return refuse(405, 'OperationNotAllowed', 'That is not allowed.')
  if (body.UserName !== fake.username || body.Password !== fake.password)
    return refuse(401, 'NoValidSession', 'The credentials are wrong.')
  if (fake.quirks.has('few-sessions') && fake.sessions.size >= 2)
    return refuse(503, 'SessionLimitExceeded', 'There are too many sessions.')
  fake.opened++
  const token = `token-${fake.opened}`
  const location = `${v1}/SessionService/Sessions/${fake.opened}`
  fake.sessions.set(token, location)
  return send(201, { '@odata.id': location }, { 'X-Auth-Token': token, Location: location })
}

function handlePatch(fake: FakeRedfish, at: string, body: Body, send: Send, refuse: Refuse): unknown {
  const present = fake.resources[at]
  if (!present) return refuse(404, 'ResourceMissingAtURI', 'It was not found.')
  if (present['@Redfish.Settings'])
    return refuse(405, 'OperationNotAllowed', 'Changes are taken at the settings resource.')
  if (body.Boot !== undefined) {
    if (fake.quirks.has('boot-refused-during-post')) {
      fake.quirks.delete('boot-refused-during-post')
      return refuse(400, 'GeneralError', 'The operation is not allowed while the system is in POST.')
    }
    const { BootSourceOverrideEnabled, BootSourceOverrideTarget, BootSourceOverrideMode } = body.Boot as Body
    if (!['Once', 'Continuous', 'Disabled'].includes(String(BootSourceOverrideEnabled)))
      return refuse(400, 'PropertyValueNotInList', 'BootSourceOverrideEnabled is not in the list.')
    if (!BootSourceOverrideTarget) return refuse(400, 'PropertyMissing', 'BootSourceOverrideTarget is missing.')
    if (!BootSourceOverrideMode) return send(204)
    present.Boot = body.Boot
    return send(204)
  }
  for (const name of Object.keys(body))
    if (!(name in present)) return refuse(400, 'PropertyUnknown', `The property ${name} is unknown.`)
  if (body.Attributes) present.Attributes = { ...(present.Attributes as Body), ...(body.Attributes as Body) }
  else Object.assign(present, body)
  return send(204)
}

function handlePost(fake: FakeRedfish, at: string, body: Body, send: Send, refuse: Refuse): unknown {
  const machine = fake.resources[system] as Body
  const media = fake.resources[cd] as Body
  if (at === `${system}/Actions/ComputerSystem.Reset`) {
    const type = String(body.ResetType)
    const action = (machine.Actions as Body)['#ComputerSystem.Reset'] as Body
    const allowed = (action['ResetType@Redfish.AllowableValues'] ?? []) as string[]
    if (!allowed.includes(type)) return refuse(400, 'ActionParameterNotSupported', `${type} is not supported.`)
    const to =
      type === 'On' || type === 'ForceRestart'
        ? 'On'
        : type === 'PushPowerButton' && machine.PowerState === 'Off'
          ? 'On'
          : 'Off'
    if (fake.quirks.has('on-refused-after-off') && to === 'On') {
      fake.quirks.delete('on-refused-after-off')
      return refuse(400, 'GeneralError', 'Power on is not possible now.')
    }
    if (fake.quirks.has('refuses-what-is-so')) {
      // Somebody was quicker: it has become so meanwhile.
      machine.PowerState = to
      return refuse(409, 'NoOperation', 'The system is in that state already.')
    }
    machine.PowerState = to
    return send(204)
  }
  if (at.endsWith('/VirtualMedia.InsertMedia')) {
    if (typeof body.Image !== 'string') return refuse(400, 'ActionParameterMissing', 'Image is missing.')
    if (media.Inserted) return refuse(400, 'ResourceInUse', 'There are media in the drive.')
    Object.assign(media, { Image: body.Image, Inserted: true })
    return send(204)
  }
  if (at.endsWith('/VirtualMedia.EjectMedia')) {
    if (!media.Inserted) return refuse(400, 'GeneralError', 'There are no media in the drive.')
    Object.assign(media, { Image: null, Inserted: false })
    return send(204)
  }
  if (at.endsWith('/UpdateService.SimpleUpdate')) {
    const path = `${v1}/TaskService/Tasks/1`
    const isBad = String(body.ImageURI).includes('bad')
    fake.resources[path] = {
      TaskState: isBad ? 'Exception' : 'Completed',
      TaskStatus: isBad ? 'Critical' : 'OK',
      PercentComplete: 100,
      Messages: [{ Message: isBad ? 'The image is not signed.' : 'Done.' }],
    }
    return send(202, link(path), { Location: path })
  }
  if (at === `${v1}/EventService/Subscriptions`) {
    if (body.Protocol !== 'Redfish') return refuse(400, 'PropertyMissing', 'Protocol is missing.')
    const list = fake.resources[at] as { Members: unknown[] }
    const path = `${at}/${list.Members.length + 1}`
    fake.resources[path] = body
    list.Members.push(link(path))
    return send(201, link(path), { Location: path })
  }
  if (at.endsWith('/Manager.Reset')) {
    fake.sessions.clear()
    return send(204)
  }
  return refuse(404, 'ResourceMissingAtURI', 'It was not found.')
}
