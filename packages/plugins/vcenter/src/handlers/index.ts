import { defineHandlers } from '@contractor/plugin'
import type { Target } from '../tasks.ts'
import { vcenter } from '../vcenter.ts'
import { createVm } from './create-vm.ts'
import { createDatastore } from './datastore.ts'
import { macsOf } from './devices.ts'
import { exportVm } from './export-vm.ts'
import { getVm, powerOf, readState } from './find-vm.ts'
import { executeInGuest, isExecuted } from './guest.ts'
import { getCluster, getDatacenter, getHost, listDatastores, listHosts, listNetworks } from './inventory.ts'
import { destroyVm, setPower } from './power-vm.ts'
import { listObjects, nameOf, readObject } from './properties.ts'
import { refXml, type Vim, withVim } from './vim.ts'
import { textOf } from './xml.ts'

/** The Tasks of module `vcenter`, by the Web Services API of vSphere. */
export const handlers = defineHandlers(vcenter, {
  create: createVm,
  destroy: (wanted, context) => withVim(wanted, context, vim => destroyVm(vim, wanted, context)),
  set_power: (wanted, context) => withVim(wanted, context, vim => setPower(vim, wanted, context)),
  power_state: (wanted, context) =>
    withVim(wanted, context, async vim => ({ state: powerOf((await getVm(vim, wanted)).powerState) })),
  state: (wanted, context) => withVim(wanted, context, vim => readState(vim, wanted)),
  interfaces: (wanted, context) =>
    withVim(wanted, context, async vim => {
      const values = await readObject(vim, (await getVm(vim, wanted)).ref, ['config.hardware.device'])
      return { interface_list: macsOf(values['config.hardware.device']) }
    }),
  execute: (wanted, { signal }) =>
    withVim(wanted, { signal, secrets: [wanted.guest_password] }, vim => executeInGuest(vim, wanted, { signal })),
  find_execution: (wanted, { signal }) =>
    withVim(wanted, { signal, secrets: [wanted.guest_password] }, async vim => ({
      isThere: await isExecuted(vim, wanted),
    })),
  mark_template: (wanted, context) => withVim(wanted, context, vim => markTemplate(vim, wanted)),
  export: (wanted, context) => withVim(wanted, context, vim => exportVm(vim, wanted, context)),
  list: (connection, context) =>
    withVim(connection, context, async vim => {
      const { vmFolder } = await getDatacenter(vim)
      const paths = ['name', 'config.instanceUuid', 'config.template', 'runtime.powerState']
      const all = await listObjects(vim, vmFolder, 'VirtualMachine', paths)
      return {
        machines: all
          .filter(
            ({ values }) => textOf(values['config.template']) === 'false' && textOf(values['config.instanceUuid']),
          )
          .map(({ values }) => ({
            ...{ name: nameOf(values), uuid: textOf(values['config.instanceUuid']) },
            status: textOf(values['runtime.powerState']),
          })),
      }
    }),
  list_hosts: (wanted, context) => withVim(wanted, context, async vim => ({ names: await listHosts(vim, wanted) })),
  list_datastores: ({ vmHost, min_free_space, name_regex, ...connection }, context) =>
    withVim(connection, context, async vim => ({
      names: await listDatastores(vim, await getHost(vim, vmHost), min_free_space, name_regex),
    })),
  list_networks: ({ vmHost, name_regex, ...connection }, context) =>
    withVim(connection, context, async vim => ({
      names: await listNetworks(vim, await getHost(vim, vmHost), name_regex),
    })),
  create_datastore: (wanted, context) => withVim(wanted, context, vim => createDatastore(vim, wanted)),
})

/** A single host has no templates. */
async function markTemplate(
  vim: Vim,
  { asTemplate, ...target }: Pick<Target, 'name' | 'uuid'> & { asTemplate: boolean },
) {
  const vm = await getVm(vim, target)
  if (vim.isHost || vm.isTemplate === asTemplate) return { changed: false }
  if (asTemplate) await vim.call('MarkAsTemplate', vm.ref)
  else {
    const { pool } = await getCluster(vim, await getDatacenter(vim))
    await vim.call('MarkAsVirtualMachine', vm.ref, { pool: refXml(pool) })
  }
  return { changed: true }
}
