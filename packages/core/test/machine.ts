import type { hardware } from '@contractor/contract'
import type { z } from 'zod'

type Report = z.input<typeof hardware>

/** What a server with two cards, two disks and two processors reports. */
export function machineReport(changes: Report = {}): Report {
  return {
    system: {
      manufacturer: 'Acme',
      product: 'Anvil 2000',
      serial: 'SYS-1',
      uuid: '4c4c4544-0000-1010-8000-000000000001',
    },
    baseboard: { manufacturer: 'Acme', serial: 'BRD-1' },
    bios: { vendor: 'Acme', version: '2.4.1' },
    bmc: { mac: '52:54:00:00:00:f1', serial: 'BMC-1', address: '10.0.0.201', firmware: '7.10' },
    cpus: [
      { socket: 'P0', model: 'Xeon Gold 6226R', cores: 16, threads: 32 },
      { socket: 'P1', model: 'Xeon Gold 6226R', cores: 16, threads: 32 },
    ],
    memory: { totalBytes: 64 * 2 ** 30, modules: [{ sizeBytes: 32 * 2 ** 30 }, { sizeBytes: 32 * 2 ** 30 }] },
    pciDevices: [
      { address: '0000:5e:00.0', vendorId: '8086', deviceId: '1572', classId: '020000', driver: 'i40e' },
      { address: '0000:5e:00.1', vendorId: '0x8086', deviceId: '1572', classId: '020000', driver: 'i40e' },
      { address: '0000:86:00.0', vendorId: '10DE', deviceId: '20B5', classId: '030200', device: 'A100' },
    ],
    disks: [
      { name: 'nvme0n1', model: 'PM983', sizeBytes: 1_000_204_886_016, rotational: false, type: 'nvme' },
      { name: 'sda', model: 'Exos 8T', sizeBytes: 8_001_563_222_016, rotational: true, type: 'sas' },
    ],
    networkInterfaces: [
      {
        name: 'eth0',
        mac: '52:54:00:00:00:01',
        speedMbps: 10_000,
        driver: 'i40e',
        link: true,
        physicalLocation: 'NIC.1',
      },
      {
        name: 'eth1',
        mac: '52:54:00:00:00:02',
        speedMbps: 10_000,
        driver: 'i40e',
        link: false,
        physicalLocation: 'NIC.2',
      },
    ],
    ...changes,
  }
}
