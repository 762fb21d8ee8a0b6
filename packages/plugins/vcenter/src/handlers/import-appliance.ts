import { deviceError } from '@contractor/driver'
import type { Wanted } from '../tasks.ts'
import { markXml } from './find-vm.ts'
import type { Network } from './inventory.ts'
import { withLease } from './lease.ts'
import type { Making } from './making.ts'
import { readDescriptor, thumbprintOf } from './ovf-descriptor.ts'
import { runTask } from './task.ts'
import { refXml } from './vim.ts'
import { at, elementOf, listOf, type Node, textOf, typeOf, type Xml, type XmlObject } from './xml.ts'

/** Deploys an appliance: vSphere reads its description, and its hosts fetch the disks by themselves. */
export async function importAppliance(making: Making, ova: string): Promise<void> {
  const { vim, wanted, context, datacenter, cluster, host, datastore } = making
  const { name, callId: call, spec } = wanted
  const descriptor = await readDescriptor(ova, context.signal)
  const manager = vim.root('ovfManager')
  const what = `Deploying '${ova}' as machine '${name}'`
  const pdp = { locale: '', deploymentOption: spec.deployment_option }
  const [parsed] = await vim.call('ParseDescriptor', manager, { ovfDescriptor: descriptor.text, pdp })
  const cisp = {
    ...{ ...pdp, entityName: name, hostSystem: refXml(host) },
    networkMapping: mapNetworks(
      making,
      listOf(at(parsed, 'network')).map(one => textOf(at(one, 'name'))),
    ),
    ...{ ipAllocationPolicy: 'fixedPolicy', ipProtocol: spec.ip_protocol },
    propertyMapping: Object.entries(spec.property_map).map(([key, value]) => ({ key, value })),
    diskProvisioning: spec.disk_provisioning,
  }
  const [result] = await vim.call('CreateImportSpec', manager, {
    ...{ ovfDescriptor: descriptor.text, resourcePool: refXml(cluster.pool), datastore: refXml(datastore), cisp },
  })
  const wrong = listOf(at(result, 'error')).map(one => textOf(at(one, 'localizedMessage')))
  if (wrong.length) throw deviceError('DEVICE_REFUSED', vim.name, `${what} is not possible: ${wrong.join('; ')}`)
  for (const warning of listOf(at(result, 'warning')))
    context.log(`${what}: ${textOf(at(warning, 'localizedMessage'))}`)
  if (typeOf(at(result, 'importSpec')) !== 'VirtualMachineImportSpec')
    throw deviceError('DEVICE_UNSUPPORTED', vim.name, `'${ova}' is of several machines, and not of one`)
  const files = listOf(at(result, 'fileItem'))
  const importSpec = withMark(at(result, 'importSpec'), { foundation: name, call, isWhole: false })
  const parameters = { spec: importSpec, folder: refXml(datacenter.vmFolder), host: refXml(host) }
  await withLease(vim, what, { method: 'ImportVApp', self: cluster.pool, parameters }, context, async lease => {
    if (!files.length) return
    const sslThumbprint = await thumbprintOf(ova, context.signal)
    const toSource = (file: Node): XmlObject => {
      const { url, memberName } = descriptor.sourceOf(textOf(at(file, 'path')))
      const size = textOf(at(file, 'size'))
      return {
        ...{ targetDeviceId: textOf(at(file, 'deviceId')), url, memberName },
        ...{ create: textOf(at(file, 'create')) === 'true', sslThumbprint, ...(size && { size }) },
      }
    }
    const pulled = {
      method: 'HttpNfcLeasePullFromUrls_Task',
      self: lease.ref,
      parameters: { files: files.map(toSource) },
    }
    await runTask(vim, what, pulled, context)
  })
}

/** What vSphere has made of the description is given back, with our mark in it: so it is there with the machine. */
function withMark(importSpec: Node | undefined, mark: Parameters<typeof markXml>[0]): Xml {
  const whole = elementOf(importSpec)
  const config = elementOf(whole.configSpec)
  const extraConfig = [...listOf(config.extraConfig), ...markXml(mark)] as Xml
  const entries = Object.entries(config).filter(([key]) => key !== 'extraConfig')
  // Elements are in the order of the schema: those that come behind stay behind.
  const behind = ['swapPlacement', 'bootOptions', 'vAppConfig', 'ftInfo', 'repConfig', 'firmware', 'nestedHVEnabled']
  const cut = entries.findIndex(([key]) => behind.includes(key))
  const place = cut < 0 ? entries.length : cut
  const configSpec = Object.fromEntries([
    ...entries.slice(0, place),
    ['extraConfig', extraConfig],
    ...entries.slice(place),
  ])
  return { ...whole, configSpec } as Xml
}

/** The networks of an appliance are for the interfaces whose physical location they are named as; where none is, in their order. */
function mapNetworks({ vim, wanted, networks }: Making, names: readonly string[]): XmlObject[] {
  const { interfaces }: Pick<Wanted, 'interfaces'> = wanted
  const isNamed = names.some(name => interfaces.some(one => one.physical_location === name))
  return names.map((name, place) => {
    const own = isNamed ? interfaces.find(one => one.physical_location === name) : interfaces[place]
    const network: Network | undefined = own && networks.get(own.network)
    if (network) return { name, network: refXml(network.ref) }
    const known = interfaces.map(one => one.physical_location ?? one.name).join(', ') || 'none'
    const words = `the appliance's network '${name}' is for no interface: name a physical location so (there is ${known})`
    throw deviceError('DEVICE_REFUSED', vim.name, words)
  })
}
