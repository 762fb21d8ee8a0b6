import { deviceError } from '@contractor/driver'
import { createBreaker } from '@contractor/driver/breaker'
import { type HttpsDevice, retryAfterMs, withHttps } from '@contractor/driver/https'
import type { Connection } from '../connection.ts'
import { faultError, isFault } from './faults.ts'
import {
  at,
  type Element,
  elementOf,
  listOf,
  type Node,
  readXml,
  textOf,
  typeOf,
  writeXml,
  type Xml,
  type XmlObject,
} from './xml.ts'

/** A managed object: its type and its id. */
export interface Ref {
  readonly type: string
  readonly value: string
}

export const refXml = ({ type, value }: Ref): XmlObject => ({ '@_type': type, '#text': value })
/** Where a schema says a type of which several others are. */
export const typed = (type: string, xml: XmlObject = {}): XmlObject => ({ '@_xsi:type': type, ...xml })

export function refOf(node: Node | undefined): Ref | undefined {
  const { '@_type': type } = elementOf(node)
  return typeof type === 'string' ? { type, value: textOf(node) } : undefined
}

/** The Web Services API of vSphere ("vim25", SOAP), which one is logged in to. */
export interface Vim {
  readonly name: string
  readonly connection: Connection
  /** A single ESX host, without a vCenter. */
  readonly isHost: boolean
  /** One of the objects that everything begins with, as `rootFolder`. */
  root(name: string): Ref
  /** Calls a method; its parameters are in the order of the schema. Gives what it answers with. */
  call(method: string, self: Ref, parameters?: XmlObject): Promise<readonly Node[]>
  /** Of the session, for what is fetched besides. */
  cookie(): string
}

const breaker = createBreaker()
/** The oldest version that knows all that is asked for. */
const action = 'urn:vim25/6.7'
const serviceInstance: Ref = { type: 'ServiceInstance', value: 'ServiceInstance' }

/** Logs in, works, and logs out whatever comes of it: sessions that nobody ends are kept for half an hour, and are few. */
export function withVim<T>(
  connection: Connection,
  { signal, secrets = [] }: { signal: AbortSignal; secrets?: readonly string[] },
  work: (vim: Vim) => Promise<T>,
): Promise<T> {
  const { host, port, password } = connection
  const name = `vSphere ${host}`
  const all = [password, ...secrets].filter(Boolean)
  const hide = (text: string) => all.reduce((shown, secret) => shown.replaceAll(secret, '***'), text)
  return withHttps(connection, { signal, name }, async device => {
    const guarded: HttpsDevice = {
      name,
      request: (...given) => breaker.guard(`${host}:${port}`, () => device.request(...given)),
    }
    const session = createSession(guarded, connection, hide)
    try {
      return await work(await session.open())
    } finally {
      await session.end(device)
    }
  })
}

interface Session {
  open(): Promise<Vim>
  end(device: HttpsDevice): Promise<void>
}

function createSession(device: HttpsDevice, connection: Connection, hide: (text: string) => string): Session {
  const { name } = device
  let cookie = ''
  let logins = 0
  let content: Element = {}
  const root = (object: string): Ref => {
    const found = refOf(content[object])
    if (found) return found
    throw deviceError('DEVICE_UNSUPPORTED', name, `it has no ${object}`)
  }
  const send = async (method: string, self: Ref, parameters: XmlObject = {}): Promise<readonly Node[]> => {
    const answer = await device.request('POST', '/sdk', {
      json: false,
      headers: { SOAPAction: action, Accept: 'text/xml', ...(cookie && { Cookie: cookie }) },
      content: { type: 'text/xml; charset=utf-8', text: envelope(method, self, parameters) },
    })
    cookie = /^[^;]+/.exec(answer.headers['set-cookie'] ?? '')?.[0] ?? cookie
    const body = bodyOf(name, method, answer.text, answer.status)
    if (answer.status === 200 && body && `${method}Response` in body)
      return listOf(at(body[`${method}Response`], 'returnval'))
    const fault = elementOf(body?.Fault)
    if (body?.Fault !== undefined) {
      const detail = Object.entries(elementOf(fault.detail)).find(([key]) => !key.startsWith('@_') && key !== '#text')
      const type = typeOf(detail?.[1]) || (detail?.[0] ?? '').replace(/Fault$/, '')
      throw faultError(name, method, type, hide(faultWords(textOf(fault.faultstring), detail?.[1])))
    }
    const later = retryAfterMs(answer, Date.now())
    const said = `it answers ${answer.status} to ${method} (${answer.text.slice(0, 100)})`
    if ([429, 502, 503, 504].includes(answer.status))
      throw deviceError('DEVICE_BUSY', name, said, later === undefined ? {} : { retryAfterMs: later })
    throw deviceError(answer.status >= 400 ? 'DEVICE_REFUSED' : 'DEVICE_ANSWER_INVALID', name, said)
  }
  const logIn = async () => {
    logins++
    cookie = ''
    const [found] = await send('RetrieveServiceContent', serviceInstance)
    content = elementOf(found)
    const { username: userName, password } = connection
    await send('Login', root('sessionManager'), { userName, password })
  }
  return {
    async open() {
      await logIn()
      return {
        ...{ name, connection, root, cookie: () => cookie },
        isHost: textOf(at(content, 'about', 'apiType')) === 'HostAgent',
        async call(method, self, parameters) {
          try {
            return await send(method, self, parameters)
          } catch (error) {
            if (!isFault(error, 'NotAuthenticated') || logins > 1) throw error
            await logIn()
            return send(method, self, parameters)
          }
        },
      }
    },
    async end(guarded) {
      if (!cookie) return
      const text = envelope('Logout', refOf(content.sessionManager) ?? serviceInstance, {})
      const headers = { SOAPAction: action, Cookie: cookie }
      const request = { json: false, headers, content: { type: 'text/xml; charset=utf-8', text }, timeoutMs: 5000 }
      // It ends by itself, later, where this does not reach it.
      await guarded.request('POST', '/sdk', request).catch(() => undefined)
    },
  }
}

function envelope(method: string, self: Ref, parameters: XmlObject): string {
  const body: Xml = { [method]: { '@_xmlns': 'urn:vim25', _this: refXml(self), ...parameters } }
  return `<?xml version="1.0" encoding="UTF-8"?>${writeXml({
    'soapenv:Envelope': {
      '@_xmlns:soapenv': 'http://schemas.xmlsoap.org/soap/envelope/',
      '@_xmlns:xsd': 'http://www.w3.org/2001/XMLSchema',
      '@_xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
      'soapenv:Body': body,
    },
  })}`
}

/** Undefined where it is no envelope, but says by its status that something went wrong. */
function bodyOf(name: string, method: string, text: string, status: number): Element | undefined {
  try {
    const { Envelope: found } = readXml(text)
    if (found !== undefined) return elementOf(at(found, 'Body'))
  } catch (error) {
    if (status < 400) {
      const words = `its answer to ${method} is no XML, or was cut short: ${text.slice(0, 100)}`
      throw deviceError('DEVICE_ANSWER_INVALID', name, words, { cause: error })
    }
  }
  if (status >= 400) return undefined
  throw deviceError('DEVICE_ANSWER_INVALID', name, `its answer to ${method} is no envelope: ${text.slice(0, 100)}`)
}

/** Beside its words, a fault names what it is about, as the privilege that is missing. */
export function faultWords(words: string, detail: Node | undefined): string {
  const about = ['privilegeId', 'name', 'property', 'datastore', 'file'].flatMap(key => {
    const said = textOf(elementOf(detail)[key])
    return said ? [`${key} ${said}`] : []
  })
  const messages = listOf(elementOf(detail).faultMessage).map(one => textOf(elementOf(one).message))
  return [words, ...about, ...messages].filter(Boolean).join('; ')
}
