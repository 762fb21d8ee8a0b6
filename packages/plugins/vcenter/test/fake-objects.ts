import type { FakeServer } from '../../../../test/fake-device.ts'
import type { Element, Xml, XmlObject } from '../src/handlers/xml.ts'
import type { quirks } from '../src/quirks.ts'

export type Quirk = (typeof quirks)[number]['name']

export interface FakeObject {
  type: string
  /** By path, as they are written; a function is read anew each time. */
  props: Record<string, Xml | (() => Xml)>
}

export interface Device {
  [name: string]: Xml
}

export interface FakeVm {
  name: string
  uuid: string
  powerState: string
  isTemplate: boolean
  devices: Device[]
  extra: Record<string, string>
  /** What it was made and changed with, as the schema has it. */
  config: Element
  customization?: Element
  question?: string
  hasTools: boolean
  /** False while it is made: it has a name then, and no configuration. */
  isBorn: boolean
}

export interface Process {
  pid: number
  cmdLine: string
  exitCode: number
  polls: number
  isEnded?: boolean
}

/**
 * A vCenter, or a single host, as strict as vim25's schema: methods and types have what they may have, in its order; those that may
 * be of several types say which. It has the quirks that it is told.
 */
export interface FakeVcenter extends FakeServer {
  readonly username: string
  readonly password: string
  readonly objects: Map<string, FakeObject>
  readonly vms: Map<string, FakeVm>
  /** The methods that change something, with their parameters. */
  readonly told: { method: string; of: string; xml: Element }[]
  readonly quirks: Set<Quirk>
  /** How the next tasks fail: a fault and its words. Empty: not. */
  readonly fails: [fault: string, words: string][]
  readonly sessions: Set<string>
  logins: number
  readonly processes: Process[]
  /** How a command of the guest ends. */
  exits: Record<string, number>
  isHost: boolean
  /** What it says that the certificate of its hosts is. */
  thumbprint: string
  readonly leases: Map<string, 'open' | 'complete' | 'aborted'>
  addVm(id: string, vm: Partial<FakeVm>): FakeVm
}

export class Fault {
  readonly type: string
  readonly words: string
  readonly detail: XmlObject
  constructor(type: string, words: string, detail: XmlObject = {}) {
    this.type = type
    this.words = words
    this.detail = detail
  }
}

export const ref = (type: string, value: string): XmlObject => ({ '@_type': type, '#text': value })

export const text = (value: string | number | boolean): XmlObject => ({
  '@_xsi:type': 'xsd:string',
  '#text': String(value),
})

export const refs = (list: XmlObject[]): XmlObject => ({
  '@_xsi:type': 'ArrayOfManagedObjectReference',
  ManagedObjectReference: list,
})

export interface FakeTask {
  polls: number
  descriptionId: string
  work: () => Xml
  end?: XmlObject
}

export type Begin = (work: () => Xml, descriptionId?: string) => XmlObject
