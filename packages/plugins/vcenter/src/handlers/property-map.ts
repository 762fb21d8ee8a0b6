import { at, elementOf, listOf, type Node, textOf, type XmlObject } from './xml.ts'

/**
 * What the guest finds in its OVF environment, which its tools show it (`guestinfo.ovfEnv`): properties that its template has
 * are set, and others added.
 */
export function propertiesXml(map: Readonly<Record<string, string>>, present: Node | undefined): XmlObject {
  const entries = Object.entries(map)
  if (!entries.length) return {}
  const before = listOf(elementOf(present).property).map(one => ({
    key: Number(textOf(at(one, 'key'))),
    id: textOf(at(one, 'id')),
  }))
  let next = Math.max(-1, ...before.map(one => one.key))
  const property = entries.map(([id, value]): XmlObject => {
    const own = before.find(one => one.id === id)
    if (own) return { operation: 'edit', info: { key: own.key, id, value } }
    next++
    return { operation: 'add', info: { key: next, id, type: 'string', userConfigurable: true, value } }
  })
  return { vAppConfig: { '@_xsi:type': 'VmConfigSpec', property, ovfEnvironmentTransport: 'com.vmware.guestInfo' } }
}
