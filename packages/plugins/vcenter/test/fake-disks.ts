import { at, type Element, elementOf, listOf, textOf, type Xml, type XmlObject } from '../src/handlers/xml.ts'
import { reconfigure, refuseTaken, removeVm } from './fake-machines.ts'
import { type Begin, type FakeVcenter, Fault, ref, text } from './fake-objects.ts'

export function ofDisks(fake: FakeVcenter, begin: Begin, method: string, xml: Element, id: string): Xml | Xml[] {
  const lease = (work: () => void, deviceUrl: XmlObject[]): XmlObject => {
    const own = `lease-${fake.leases.size + 1}`
    let polls = 1
    fake.leases.set(own, 'open')
    fake.objects.set(own, {
      type: 'HttpNfcLease',
      props: {
        state: () => {
          if (polls-- > 0) return text('initializing')
          if (polls === -1) work()
          return text('ready')
        },
        info: { '@_xsi:type': 'HttpNfcLeaseInfo', leaseTimeout: 300, deviceUrl },
      },
    })
    return ref('HttpNfcLease', own)
  }
  switch (method) {
    case 'ParseDescriptor':
      return {
        network: [...textOf(xml.ovfDescriptor).matchAll(/<Network ovf:name="([^"]*)"/g)].map(([, name = '']) => ({
          name,
          description: '',
        })),
      }
    case 'CreateImportSpec': {
      const [descriptor, cisp] = [textOf(xml.ovfDescriptor), elementOf(xml.cisp)]
      if (!descriptor.includes('<Envelope'))
        return {
          error: [
            { fault: { '@_xsi:type': 'OvfInvalidPackage' }, localizedMessage: 'The OVF descriptor is not valid.' },
          ],
        }
      const mapped = listOf(cisp.networkMapping).map(one => textOf(at(one, 'network')))
      const nic = (network: string, place: number) => ({
        operation: 'add',
        device: {
          '@_xsi:type': 'VirtualVmxnet3',
          key: -10 - place,
          backing: {
            '@_xsi:type': 'VirtualEthernetCardNetworkBackingInfo',
            deviceName: network,
            network: ref('Network', network),
          },
        },
      })
      const configSpec = {
        name: textOf(cisp.entityName),
        numCPUs: 2,
        memoryMB: 8192,
        deviceChange: mapped.map(nic),
        extraConfig: { key: 'own', value: text('1') },
        firmware: 'efi',
      }
      const type = descriptor.includes('VirtualSystemCollection') ? 'VirtualAppImportSpec' : 'VirtualMachineImportSpec'
      const fileItem = {
        deviceId: '/vm/VirtualLsiLogicController0:0',
        path: 'app-disk1.vmdk',
        create: false,
        size: 4000,
      }
      return {
        importSpec: { '@_xsi:type': type, configSpec },
        fileItem,
        warning: [{ localizedMessage: 'No manifest file found.' }],
      }
    }
    case 'ImportVApp': {
      const config = elementOf(at(xml.spec, 'configSpec'))
      refuseTaken(fake, textOf(config.name))
      return lease(() => reconfigure(fake.addVm(`vm-${fake.objects.size}`, { name: textOf(config.name) }), config), [])
    }
    case 'HttpNfcLeasePullFromUrls_Task':
      fake.told.push({ method, of: id, xml })
      return begin(() => undefined)
    case 'ExportVm': {
      if (fake.vms.get(id)?.powerState !== 'poweredOff')
        throw new Fault('InvalidPowerState', 'The operation is not allowed in the current state.')
      const thumb = fake.isHost ? {} : { sslThumbprint: fake.thumbprint }
      const url = fake.isHost ? 'https://*/nfc/disk-0.vmdk' : `https://127.0.0.1:${fake.port}/nfc/disk-0.vmdk`
      return lease(
        () => undefined,
        [
          { key: '/vm/disk0', importKey: 'i', url, ...thumb, disk: true },
          { key: '/vm/nvram', importKey: 'n', url: 'https://*/nfc/nvram', disk: false },
        ],
      )
    }
    case 'CreateDescriptor':
      return {
        ovfDescriptor: `<Envelope>${textOf(at(xml.cdp, 'ovfFiles', 'path'))} ${textOf(at(xml.cdp, 'ovfFiles', 'size'))}</Envelope>`,
      }
    case 'HttpNfcLeaseProgress':
      return undefined
    case 'HttpNfcLeaseComplete':
      fake.leases.set(id, 'complete')
      return undefined
    case 'HttpNfcLeaseAbort':
      fake.leases.set(id, 'aborted')
      for (const [own, one] of fake.vms)
        if (one.extra['contractor.whole'] === 'false' && one.extra.own === '1') removeVm(fake, own)
      return undefined
    default:
      throw new Fault('', `Unable to resolve WSDL method name ${method}`)
  }
}
