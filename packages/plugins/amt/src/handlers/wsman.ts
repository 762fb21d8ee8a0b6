import { randomUUID } from 'node:crypto'
import { type DeviceErrorCode, deviceError } from '@contractor/driver'
import { createBreaker } from '@contractor/driver/breaker'
import { type HttpsAnswer, type HttpsDevice, retryAfterMs, withHttps } from '@contractor/driver/https'
import { XMLParser } from 'fast-xml-parser'
import type { Connection } from '../connection.ts'
import { answerChallenge, type Challenge, parseChallenge } from './digest.ts'

/** What was read of an element: its text, or what is in it. */
export type Element = { readonly [name: string]: Element } | string | undefined

/** A machine's WS-Management service (DMTF DSP0226). */
export interface Wsman {
  readonly name: string
  /** An instance of a class: of the only one there is, or of that which the selectors name. */
  get(className: string, selectors?: Readonly<Record<string, string>>): Promise<Element>
  /** What a method answers with; `input` is XML, in whose names `p` is the class. */
  invoke(
    className: string,
    method: string,
    selectors: Readonly<Record<string, string>>,
    input: string,
  ): Promise<Element>
}

const path = '/wsman'
const cim = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/'
const addressing = 'http://schemas.xmlsoap.org/ws/2004/08/addressing'
export const anonymous = `${addressing}/role/anonymous`
export const uriOf = (className: string): string => `${cim}${className}`

const breaker = createBreaker()
const parser = new XMLParser({ removeNSPrefix: true, parseTagValue: false, ignoreAttributes: true })

export function withWsman<T>(
  connection: Connection,
  { signal, isTested = false }: { signal: AbortSignal; isTested?: boolean },
  work: (wsman: Wsman) => Promise<T>,
): Promise<T> {
  const name = `AMT ${connection.host}`
  const run = () =>
    withHttps(connection, { signal, name }, device => work(createWsman(device, createLogin(device, connection))))
  return isTested ? run() : breaker.guard(`${connection.host}:${connection.port}`, run)
}

function createWsman({ name }: HttpsDevice, post: (text: string) => Promise<HttpsAnswer>): Wsman {
  const ask = async (what: string, text: string): Promise<Element> => {
    const answer = await post(text)
    const body = bodyOf(name, what, answer)
    const fault = at(body, 'Fault')
    if (fault !== undefined || answer.status >= 300) throw failureOf(name, what, answer, fault)
    return body
  }
  return {
    name,
    async get(className, selectors = {}) {
      const action = 'http://schemas.xmlsoap.org/ws/2004/09/transfer/Get'
      const body = await ask(`Get of ${className}`, envelope(action, className, selectors, ''))
      const found = at(body, className)
      if (found !== undefined) return found
      throw deviceError('DEVICE_ANSWER_INVALID', name, `its answer has no ${className}`)
    },
    async invoke(className, method, selectors, input) {
      const uri = uriOf(className)
      const inner = `<p:${method}_INPUT xmlns:p="${uri}">${input}</p:${method}_INPUT>`
      const body = await ask(method, envelope(`${uri}/${method}`, className, selectors, inner))
      const found = at(body, `${method}_OUTPUT`)
      if (found !== undefined) return found
      throw deviceError('DEVICE_ANSWER_INVALID', name, `its answer to ${method} has no output`)
    },
  }
}

export function at(element: Element, ...names: string[]): Element {
  return names.reduce<Element>((found, name) => (typeof found === 'object' ? found[name] : undefined), element)
}

export const textOf = (element: Element): string => (typeof element === 'string' ? element.trim() : '')

export const selectorsXml = (selectors: Readonly<Record<string, string>>): string => {
  const all = Object.entries(selectors).map(([name, value]) => `<w:Selector Name="${name}">${value}</w:Selector>`)
  return all.length ? `<w:SelectorSet>${all.join('')}</w:SelectorSet>` : ''
}

function envelope(
  action: string,
  className: string,
  selectors: Readonly<Record<string, string>>,
  body: string,
): string {
  const header = [
    `<a:Action s:mustUnderstand="true">${action}</a:Action>`,
    `<a:To s:mustUnderstand="true">${path}</a:To>`,
    `<w:ResourceURI s:mustUnderstand="true">${uriOf(className)}</w:ResourceURI>`,
    `<a:MessageID s:mustUnderstand="true">uuid:${randomUUID()}</a:MessageID>`,
    `<a:ReplyTo><a:Address>${anonymous}</a:Address></a:ReplyTo>`,
    '<w:OperationTimeout>PT60S</w:OperationTimeout>',
    selectorsXml(selectors),
  ]
  const spaces = [
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope"',
    `xmlns:a="${addressing}"`,
    'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"',
  ]
  const parts = `<s:Header>${header.join('')}</s:Header><s:Body>${body}</s:Body>`
  return `<?xml version="1.0" encoding="UTF-8"?><s:Envelope ${spaces.join(' ')}>${parts}</s:Envelope>`
}

/** Undefined where it is no envelope, but says by its status that something went wrong. */
function bodyOf(name: string, what: string, { text, status }: HttpsAnswer): Element {
  try {
    const found = at(parser.parse(text, true) as Element, 'Envelope', 'Body')
    if (found !== undefined || status >= 300) return found
  } catch {
    if (status >= 300) return undefined
  }
  throw deviceError('DEVICE_ANSWER_INVALID', name, `its answer to ${what} is no envelope: ${text.slice(0, 100)}`)
}

/** A nonce is good for several requests, each of which counts. */
function createLogin(device: HttpsDevice, { username, password }: Connection): (text: string) => Promise<HttpsAnswer> {
  let challenge: Challenge | undefined
  let count = 0
  const send = (text: string): Promise<HttpsAnswer> => {
    const own = challenge && { username, password, method: 'POST', uri: path, count: ++count }
    return device.request('POST', path, {
      json: false,
      headers: {
        Accept: 'application/soap+xml',
        ...(challenge && own && { Authorization: answerChallenge(challenge, own) }),
      },
      content: { type: 'application/soap+xml;charset=UTF-8', text },
    })
  }
  return async text => {
    const hadNone = challenge === undefined
    let answer = await send(text)
    for (let login = 1; answer.status === 401 && login <= 2; login++) {
      const asked = parseChallenge(answer.headers['www-authenticate'])
      if (!asked) throw deviceError('DEVICE_UNSUPPORTED', device.name, 'it asks for another authentication than digest')
      // The first one is no refusal: nobody has said yet who is there.
      const isFirst = hadNone && login === 1
      if (!isFirst && !asked.isStale) break
      challenge = asked
      count = 0
      answer = await send(text)
    }
    if (answer.status !== 401) return answer
    throw deviceError('DEVICE_UNAUTHENTICATED', device.name, `it does not know '${username}' or this password`)
  }
}

/** What a fault's subcode means (DSP0226, section 14); what is not here is a refusal. */
const codes: Readonly<Record<string, DeviceErrorCode>> = {
  AccessDenied: 'DEVICE_REFUSED',
  TimedOut: 'DEVICE_TIMED_OUT',
  Concurrency: 'DEVICE_BUSY',
  QuotaLimit: 'DEVICE_BUSY',
  EndpointUnavailable: 'DEVICE_BUSY',
  InternalError: 'DEVICE_BUSY',
  ActionNotSupported: 'DEVICE_UNSUPPORTED',
  DestinationUnreachable: 'DEVICE_UNSUPPORTED',
  UnsupportedFeature: 'DEVICE_UNSUPPORTED',
}

function failureOf(name: string, what: string, answer: HttpsAnswer, fault: Element): Error {
  const subcode = textOf(at(fault, 'Code', 'Subcode', 'Value')).replace(/^[^:]*:/, '')
  const words = textOf(at(fault, 'Reason', 'Text')) || answer.text.slice(0, 100)
  const said = `it answers ${answer.status} to ${what} (${[subcode, words].filter(Boolean).join(': ')})`
  const later = retryAfterMs(answer, Date.now())
  const usual = [429, 502, 503, 504].includes(answer.status) ? 'DEVICE_BUSY' : 'DEVICE_REFUSED'
  return deviceError(codes[subcode] ?? usual, name, said, later === undefined ? {} : { retryAfterMs: later })
}
