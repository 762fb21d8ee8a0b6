import { deviceError } from '@contractor/driver'
import { ContractorError, isContractorError, type Json } from '@contractor/plugin'
import type { z } from 'zod'
import type { tasks } from '../tasks.ts'
import type { Nic, VmSpec } from '../vm-spec.ts'
import type { Arm, Resource } from './arm.ts'
import { findAny, interfaces, isOfCall, isOwn, machines, macsOf, provisioningOf, tags } from './machine.ts'
import { markDisk, removeMachine } from './remove-machine.ts'

type Wanted = z.output<(typeof tasks)['create']['params']>

const runMs = 1_200_000

/**
 * Makes a machine: its interfaces first, since it refers to them. What an attempt before has made is found by its name and
 * its tags, and gone on with; a machine that Azure could not make is there all the same, and is deleted with what belongs to it.
 */
export async function createMachine(
  arm: Arm,
  wanted: Wanted,
): Promise<{ name: string; interface_map: Record<string, string> }> {
  const before = await findMade(arm, wanted)
  try {
    const isHusk = before !== undefined && provisioningOf(before) === 'Failed'
    if (isHusk) await removeMachine(arm, wanted, wanted.callId)
    if (!before || isHusk) await putAll(arm, wanted)
    const made = await awaitMade(arm, wanted)
    await markDisk(arm, made)
    const macs = await arm.until(`Waiting for the MACs of ${wanted.name}`, runMs, () => macsOf(arm, made))
    const pairs = wanted.nics.map((one, at) => [one.location, macs[at]] as const)
    const known = pairs.filter((pair): pair is [string, string] => pair[0] !== null && pair[1] !== undefined)
    return { name: wanted.name, interface_map: Object.fromEntries(known) }
  } catch (error) {
    // What may pass is tried again by the next attempt, which finds what is there.
    if (!isContractorError(error) || error.retryable) throw error
    await removeFailed(arm, wanted, error)
    throw error
  }
}

async function removeFailed(arm: Arm, wanted: Wanted, why: Error): Promise<void> {
  try {
    await removeMachine(arm, wanted, wanted.callId)
  } catch (error) {
    const left = error instanceof Error ? error.message : String(error)
    const words = `what was made of '${wanted.name}' before this failure may be left (${left}): ${why.message}`
    throw deviceError('DEVICE_REFUSED', arm.name, words, { cause: error })
  }
}

async function findMade(arm: Arm, wanted: Wanted): Promise<Resource | undefined> {
  const found = await findAny(arm, wanted)
  if (!found || isOfCall(found, wanted, wanted.callId)) return found
  const { name, locator } = wanted
  const message = isOwn(found, wanted)
    ? `Foundation '${locator}' has machine '${name}' already, which this call has not made. Destroy it first`
    : `machine '${name}' was not made by Contractor for this Foundation, and is left alone. Remove it, or make a Foundation of another name`
  throw new ContractorError('ALREADY_EXISTS', `${arm.name}: ${message}`, { kind: 'virtualMachines', id: name })
}

async function putAll(arm: Arm, wanted: Wanted): Promise<void> {
  for (const one of wanted.nics) await putInterface(arm, wanted, one)
  try {
    await arm.change('PUT', `${machines}/${wanted.name}`, { body: toMachine(wanted), isNew: true })
  } catch (error) {
    // Somebody was quicker: an attempt of ours whose answer was lost, or another.
    if (!isContractorError(error, 'ALREADY_EXISTS')) throw error
    await findMade(arm, wanted)
  }
}

async function putInterface(arm: Arm, wanted: Wanted, one: Nic): Promise<void> {
  const name = interfaceName(wanted, one)
  const path = `${interfaces}/${name}`
  const before = await arm.find(path)
  if (before && !isOwn(before, wanted)) {
    const message = `${arm.name}: interface '${name}' was not made by Contractor for this Foundation, and is left alone. Remove it`
    throw new ContractorError('ALREADY_EXISTS', message, { kind: 'networkInterfaces', id: name })
  }
  // A put of what is there already, and the same, changes nothing.
  await arm.change('PUT', path, { body: toInterface(wanted, one) })
}

function awaitMade(arm: Arm, wanted: Wanted): Promise<Resource> {
  return arm.until(`Waiting for ${wanted.name} to be made`, runMs, async () => {
    const seen = await findAny(arm, wanted)
    const state = seen && provisioningOf(seen)
    if (state === 'Succeeded') return seen
    if (state !== 'Failed' && state !== 'Canceled') return undefined
    throw deviceError('DEVICE_REFUSED', arm.name, `machine '${wanted.name}' could not be made: it is ${state}`)
  })
}

const interfaceName = ({ name }: Wanted, one: Nic): string => `${name}-${one.name.replaceAll(/[^a-zA-Z0-9_-]/g, '-')}`

const groupOf = ({ subscription_id, resource_group }: Wanted): string =>
  `/subscriptions/${subscription_id}/resourceGroups/${resource_group}/providers`

const tagsOf = ({ spec, locator, callId }: Wanted) => ({
  ...spec.azure_tag_map,
  ...{ [tags.foundation]: locator, [tags.call]: callId },
})

function toInterface(wanted: Wanted, one: Nic): Json {
  const { spec, location } = wanted
  const network = `${groupOf(wanted)}/Microsoft.Network`
  const subnet = { id: `${network}/virtualNetworks/${one.network}/subnets/${spec.azure_subnet}` }
  const configs = one.addresses.length ? one.addresses : [null]
  return {
    location,
    tags: tagsOf(wanted),
    properties: {
      ...(spec.azure_security_group !== null && {
        networkSecurityGroup: { id: `${network}/networkSecurityGroups/${spec.azure_security_group}` },
      }),
      ipConfigurations: configs.map((address, at) => ({
        name: `${one.name}-${at}`,
        properties: {
          ...{ subnet, primary: at === 0 },
          privateIPAddressVersion: address?.includes(':') ? 'IPv6' : 'IPv4',
          ...(address === null
            ? { privateIPAllocationMethod: 'Dynamic' }
            : { privateIPAllocationMethod: 'Static', privateIPAddress: address }),
        },
      })),
    },
  }
}

function toMachine(wanted: Wanted): Json {
  const { name, location, spec, nics } = wanted
  const { azure_image: image, azure_custom_data: data, azure_zone: zone } = spec
  return {
    location,
    tags: tagsOf(wanted),
    ...(zone !== null && { zones: [zone] }),
    properties: {
      hardwareProfile: { vmSize: spec.azure_size },
      storageProfile: {
        imageReference: typeof image === 'string' ? { id: image } : { ...image },
        osDisk: {
          ...{ name: `${name}-os`, createOption: 'FromImage', deleteOption: 'Detach' },
          ...(spec.azure_disk_size !== null && { diskSizeGB: spec.azure_disk_size }),
          ...(spec.azure_disk_type !== null && { managedDisk: { storageAccountType: spec.azure_disk_type } }),
        },
      },
      osProfile: {
        // A host name has no underscores.
        ...{ computerName: name.replaceAll('_', '-'), ...toLogin(spec) },
        ...(data !== null && { customData: Buffer.from(data).toString('base64') }),
      },
      networkProfile: {
        networkInterfaces: nics.map((one, at) => ({
          id: `${groupOf(wanted)}/${interfaces}/${interfaceName(wanted, one)}`,
          properties: { primary: at === 0 },
        })),
      },
    },
  }
}

function toLogin({ azure_admin_username: user, azure_admin_password: word, azure_ssh_public_key: key }: VmSpec) {
  return {
    adminUsername: user,
    ...(word !== null && { adminPassword: word }),
    ...(key !== null && {
      linuxConfiguration: {
        disablePasswordAuthentication: word === null,
        ssh: { publicKeys: [{ path: `/home/${user}/.ssh/authorized_keys`, keyData: key }] },
      },
    }),
  }
}
