import { deviceError } from '@contractor/driver'
import { isContractorError } from '@contractor/plugin'
import type { Connection } from '../connection.ts'
import type { BootFlags } from '../tasks.ts'
import type { Bmc } from './bmc.ts'

/** What ipmitool calls the boot device selector (IPMI 2.0, table 28-14) when it reads it. */
const devices: readonly [RegExp, BootFlags['device']][] = [
  [/No override/i, 'none'],
  [/Force PXE/i, 'pxe'],
  [/request Safe-?Mode/i, 'safe'],
  [/default Hard-?Drive/i, 'disk'],
  [/Diagnostic Partition/i, 'diag'],
  [/CD\/DVD/i, 'cdrom'],
  [/BIOS Setup/i, 'bios'],
  [/Floppy/i, 'floppy'],
]

export async function readBootDevice(bmc: Bmc): Promise<BootFlags> {
  const text = await bmc.run(['chassis', 'bootparam', 'get', '5'])
  const [, selector = ''] = /Boot Device Selector\s*:\s*(.+)/i.exec(text) ?? []
  const device = devices.find(([words]) => words.test(selector))?.[1]
  if (!device) throw deviceError('DEVICE_ANSWER_INVALID', 'BMC', `its boot flags cannot be read: ${text.slice(0, 200)}`)
  return { device, persistent: /apply to all future boots/i.test(text), uefi: /\bEFI\b.*boot/i.test(text) }
}

export async function setBootDevice(
  bmc: Bmc,
  { quirks, device, persistent, uefi, host }: Connection & Omit<BootFlags, 'uefi'> & { uefi: boolean | null },
  log: (line: string) => void,
): Promise<BootFlags> {
  const isUefi = uefi ?? (await readBootDevice(bmc)).uefi
  if (!quirks.includes('no-boot-options-raw')) await keepFlags(bmc, log)
  const options = [...(isUefi ? ['efiboot'] : []), ...(persistent ? ['persistent'] : [])]
  await bmc.run(['chassis', 'bootdev', device, ...(options.length ? [`options=${options.join(',')}`] : [])])
  const read = await readBootDevice(bmc)
  if (read.device === device) return { device, persistent, uefi: isUefi }
  throw deviceError('DEVICE_REFUSED', `BMC ${host}`, `it was told to boot from ${device}, and says ${read.device}`)
}

/** Boot flags are forgotten after 60 s unless this bit is set (IPMI 2.0, table 28-14, parameter 3). */
async function keepFlags(bmc: Bmc, log: (line: string) => void): Promise<void> {
  try {
    await bmc.run(['raw', '0x00', '0x08', '0x03', '0x08'])
  } catch (error) {
    if (!isContractorError(error, 'DEVICE_UNSUPPORTED') && !isContractorError(error, 'DEVICE_REFUSED')) throw error
    log(`Its boot flags may expire after 60 s: ${error.message}`)
  }
}
