import { XMLBuilder, XMLParser } from 'fast-xml-parser'

/** What is written: elements by their names, in their order; an attribute by `@_`, and the text beside attributes by `#text`. */
export type Xml = string | number | boolean | null | undefined | XmlObject | readonly Xml[]
export interface XmlObject {
  readonly [name: string]: Xml
}

/** What was read: a text, or an element with attributes or elements in it; several of one name are a list. */
export type Node = string | Element | readonly Node[]
export interface Element {
  readonly [name: string]: Node
}

const parser = new XMLParser({
  ignoreAttributes: false,
  parseTagValue: false,
  parseAttributeValue: false,
  // The prefix of an element says nothing here; that of an attribute tells `type` from `xsi:type`.
  transformTagName: name => name.replace(/^[^:]*:/, ''),
})
const builder = new XMLBuilder({ ignoreAttributes: false, suppressEmptyNode: true, suppressBooleanAttributes: false })

export const writeXml = (xml: XmlObject): string => builder.build(clean(xml) as object)

/** Nothing is written for what is not there. */
function clean(xml: Xml): Xml {
  if (Array.isArray(xml)) return xml.map(clean)
  if (typeof xml !== 'object' || xml === null) return xml
  const entries = Object.entries(xml).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(entries.map(([name, value]) => [name, clean(value)]))
}

/** Throws where it is no XML. */
export const readXml = (text: string): Element => parser.parse(text, true) as Element

export const elementOf = (node: Node | undefined): Element =>
  typeof node === 'object' && !Array.isArray(node) ? (node as Element) : {}

export const listOf = (node: Node | undefined): readonly Node[] =>
  node === undefined || node === '' ? [] : Array.isArray(node) ? node : [node as Node]

export function textOf(node: Node | undefined): string {
  if (typeof node === 'string') return node
  const text = elementOf(node)['#text']
  return typeof text === 'string' ? text : ''
}

export const numberOf = (node: Node | undefined): number => Number(textOf(node) || Number.NaN)

/** What follows a path of elements, the first of several each time. */
export function at(node: Node | undefined, ...path: string[]): Node | undefined {
  let found = node
  for (const name of path) found = elementOf(listOf(found)[0])[name]
  return found
}

/** `xsi:type`, without a prefix. */
export const typeOf = (node: Node | undefined): string => textOf(elementOf(node)['@_xsi:type']).replace(/^[^:]*:/, '')
