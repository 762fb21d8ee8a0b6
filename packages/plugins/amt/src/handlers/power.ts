import { type DeviceErrorCode, deviceError, type PowerAction, type PowerState } from '@contractor/driver'
import { isContractorError } from '@contractor/plugin'
import { anonymous, at, selectorsXml, textOf, uriOf, type Wsman } from './wsman.ts'

/** The power states of CIM (DSP1027), as AMT uses them. */
const states: Readonly<Record<string, PowerState>> = {
  2: 'on',
  // Sleep, light and deep, and hibernation: it has to be switched on, and can be switched off.
  3: 'unknown',
  4: 'unknown',
  7: 'unknown',
  // It restarts.
  5: 'on',
  9: 'on',
  10: 'on',
  6: 'off',
  8: 'off',
  12: 'off',
  13: 'off',
}

const requests: Readonly<Record<PowerAction, number>> = { on: 2, off: 8, soft: 8, reset: 10 }

export async function readPower(wsman: Wsman): Promise<PowerState> {
  const seen = textOf(at(await wsman.get('CIM_AssociatedPowerManagementService'), 'PowerState'))
  const state = states[seen]
  if (state !== undefined) return state
  throw deviceError('DEVICE_ANSWER_INVALID', wsman.name, `its power state is '${seen}', which nobody knows here`)
}

/** What a change can come to (DSP1027, section 8.2); what is not here is a refusal. */
const returnValues: Readonly<Record<string, { words: string; code: DeviceErrorCode }>> = {
  1: { words: 'not supported', code: 'DEVICE_UNSUPPORTED' },
  3: { words: 'not completed in time', code: 'DEVICE_TIMED_OUT' },
  6: { words: 'in use', code: 'DEVICE_BUSY' },
  4097: { words: 'invalid state transition', code: 'DEVICE_REFUSED' },
  4099: { words: 'busy', code: 'DEVICE_BUSY' },
}

const service = {
  CreationClassName: 'CIM_PowerManagementService',
  Name: 'Intel(r) AMT Power Management Service',
  SystemCreationClassName: 'CIM_ComputerSystem',
  SystemName: 'Intel(r) AMT',
}
const machine = { CreationClassName: 'CIM_ComputerSystem', Name: 'ManagedSystem' }

export async function sendPower(wsman: Wsman, action: PowerAction): Promise<void> {
  try {
    await requestPower(wsman, requests[action])
  } catch (error) {
    if (!isContractorError(error, 'DEVICE_REFUSED') || action === 'reset') throw error
    // It has become so meanwhile.
    if ((await readPower(wsman)) !== (action === 'on' ? 'on' : 'off')) throw error
  }
}

async function requestPower(wsman: Wsman, state: number): Promise<void> {
  const method = 'RequestPowerStateChange'
  const spaces =
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"'
  const reference = `<w:ResourceURI>${uriOf('CIM_ComputerSystem')}</w:ResourceURI>${selectorsXml(machine)}`
  const element = `<a:Address>${anonymous}</a:Address><a:ReferenceParameters>${reference}</a:ReferenceParameters>`
  const input = `<p:PowerState>${state}</p:PowerState><p:ManagedElement ${spaces}>${element}</p:ManagedElement>`
  const value = textOf(at(await wsman.invoke('CIM_PowerManagementService', method, service, input), 'ReturnValue'))
  if (value === '0') return
  if (!value) throw deviceError('DEVICE_ANSWER_INVALID', wsman.name, `its answer to ${method} has no return value`)
  const { words, code } = returnValues[value] ?? { words: 'it does not say why', code: 'DEVICE_REFUSED' as const }
  throw deviceError(code, wsman.name, `${method} to ${state} has failed with ${value} (${words})`)
}
