import { deviceError } from '@contractor/driver'
import { ContractorError } from '@contractor/plugin'
import { getHost, ofHost } from './inventory.ts'
import { nameOf, readObject } from './properties.ts'
import { refOf, type Vim } from './vim.ts'
import { at, elementOf, type Node, textOf, type Xml } from './xml.ts'

/** VMFS on the first free disk of a model; a datastore of that name is the answer. */
export async function createDatastore(
  vim: Vim,
  { vmHost, datastore, model }: { vmHost: string; datastore: string; model: string },
): Promise<{ created: boolean }> {
  const host = await getHost(vim, vmHost)
  const present = await ofHost(vim, host, 'datastore', ['name'])
  if (present.some(({ values }) => nameOf(values) === datastore)) return { created: false }
  const found = await readObject(vim, host, ['configManager.datastoreSystem'])
  const system = refOf(found['configManager.datastoreSystem'])
  if (!system) throw deviceError('DEVICE_REFUSED', vim.name, `its user may not see the disks of host '${vmHost}'`)
  const free = await vim.call('QueryAvailableDisksForVmfs', system)
  const modelOf = (disk: Node) => textOf(at(disk, 'model')).trim()
  const disk = free.find(one => modelOf(one) === model.trim())
  if (!disk) {
    const known = [...new Set(free.map(modelOf))].join(', ') || 'none'
    const message = `${vim.name}: host '${vmHost}' has no free disk of model '${model}': it has ${known}`
    throw new ContractorError('NOT_FOUND', message, { kind: 'disk', id: model })
  }
  const devicePath = textOf(at(disk, 'devicePath'))
  const [option] = await vim.call('QueryVmfsDatastoreCreateOptions', system, { devicePath })
  const offered = elementOf(at(option, 'spec'))
  if (offered.vmfs === undefined)
    throw deviceError('DEVICE_REFUSED', vim.name, `disk '${devicePath}' of host '${vmHost}' cannot have a datastore`)
  // What the host offers is given back, with the name.
  const spec = { ...offered, vmfs: { ...elementOf(offered.vmfs), volumeName: datastore } }
  await vim.call('CreateVmfsDatastore', system, { spec: spec as Xml })
  return { created: true }
}
