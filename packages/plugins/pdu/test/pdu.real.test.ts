import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHandlerContext } from '@contractor/plugin/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { freePort } from '../../../../test/embedded-postgres.ts'
import { openRig } from '../../../../test/rig.ts'
import { handlers, pduHandlers } from '../src/handlers/index.ts'
import { atOutlet, models, type PduModel } from '../src/models.ts'
import { outletFoundation, pdu } from '../src/pdu.ts'

const missing = spawnSync('snmpd', ['-v']).error !== undefined
const required = process.env.CONTRACTOR_REQUIRE_REAL === '1'

interface Tree {
  variables: Record<string, [string, string]>
  stuck: boolean
  switches: Record<string, [string, string]>
}

/** A PDU of a maker, with three outlets that are off: snmpd with that maker's tree. */
async function startPdu(model: PduModel) {
  const folder = mkdtempSync(join(tmpdir(), 'pdu-'))
  const file = join(folder, 'tree.json')
  const tree: Tree = { variables: {}, stuck: false, switches: {} }
  for (const number of [1, 2, 3]) {
    const at = (oid: string) => atOutlet(oid, number)
    const [on = '', off = ''] = [model.state.on[0], model.state.off[0]]
    for (const { oid, value } of [model.on, model.off]) tree.variables[at(oid)] = ['integer', value]
    tree.variables[at(model.state.oid)] = ['integer', off]
    tree.variables[at(model.label)] = ['string', `outlet ${number}`]
    tree.switches[`${at(model.on.oid)} ${model.on.value}`] = [at(model.state.oid), on]
    tree.switches[`${at(model.off.oid)} ${model.off.value}`] = [at(model.state.oid), off]
  }
  writeFileSync(file, JSON.stringify(tree))
  const program = join(import.meta.dirname, 'pdu-agent.mjs')
  chmodSync(program, 0o755)
  const root = model.state.oid.split('.').slice(0, 7).join('.')
  const port = await freePort()
  writeFileSync(
    join(folder, 'snmpd.conf'),
    `rocommunity public\nrwcommunity private\npass_persist .${root} ${process.execPath} ${program} ${file}\n`,
  )
  const args = ['-f', '-C', '-c', join(folder, 'snmpd.conf'), '-Lo', '-p', join(folder, 'pid'), `udp:127.0.0.1:${port}`]
  const server = spawn('snmpd', args, { stdio: 'ignore', env: { ...process.env, SNMP_PERSISTENT_DIR: folder } })
  onTestFinished(() => {
    server.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  const login = { host: '127.0.0.1', port, protocol: 'SNMPv2c', community: 'private', model: model.name }
  const run = (task: string, more: object = {}) => pduHandlers.run(task, { ...login, ...more }, createHandlerContext())
  await vi.waitFor(() => run('list'), { timeout: 20_000 })
  const change = (what: Partial<Tree>) =>
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...what }))
  return { port, run, change }
}

describe.skipIf(missing && !required)('PDUs (needs snmpd, of package snmpd)', { timeout: 120_000 }, () => {
  it.each(models)('of $name: outlets are listed, read, and switched on and off', async model => {
    const { run } = await startPdu(model)
    expect(await run('list')).toEqual({
      outlets: [1, 2, 3].map(outlet => ({ outlet, name: `outlet ${outlet}`, state: 'off' })),
    })
    expect(await run('set_power', { outlets: [2], action: 'on' })).toEqual({ state: 'off', sent: true })
    expect(await run('set_power', { outlets: [2], action: 'on' })).toEqual({ state: 'on', sent: false })
    expect(await run('power_state', { outlets: [1] })).toEqual({ state: 'off' })
    // Two supplies: on while one is, and off when both are.
    expect(await run('power_state', { outlets: [1, 2] })).toEqual({ state: 'on' })
    expect(await run('set_power', { outlets: [1, 2], action: 'off' })).toEqual({ state: 'on', sent: true })
    expect(await run('power_state', { outlets: [1, 2] })).toEqual({ state: 'off' })
  })

  it('say what is wrong: an outlet that there is not, another maker’s MIB, a community that may not write', async () => {
    const { run } = await startPdu(models[0])
    await expect(run('power_state', { outlets: [9] })).rejects.toMatchObject({
      code: 'DEVICE_UNSUPPORTED',
      message: expect.stringContaining('no outlet 9'),
    })
    await expect(run('power_state', { outlets: [1], model: 'eaton' })).rejects.toThrow(
      'set pdu_model if it is no eaton',
    )
    await expect(run('set_power', { outlets: [1], action: 'on', community: 'public' })).rejects.toMatchObject({
      code: 'DEVICE_REFUSED',
    })
    await expect(run('set_power', { outlets: [1], action: 'reset' })).resolves.toEqual({ state: 'off', sent: false })
  })

  it('go through server and agent: a server without control of its own is built, switched and destroyed by its outlet, and one that sticks says so', async () => {
    const { port, change } = await startPdu(models[0])
    const rig = await openRig({
      plugins: [outletFoundation, pdu],
      handlers: [handlers, pduHandlers],
      resources: [join(import.meta.dirname, '../resources.toml')],
    })
    const { contractor } = rig
    const fields = { pdu_ip_address: '127.0.0.1', pdu_port: port, pdu_model: 'apc', pdu_community: 'private' } as const
    await contractor.complexes.create({ name: 'pdu1', site: 'lab', type: 'PDU', fields })
    await contractor.foundations.create({ locator: 'pdu1', type: 'PDU', site: 'lab', blueprint: 'pdu-base', fields })
    await contractor.foundations.setLocated('pdu1')
    await rig.finish(contractor.foundations.doCreate('pdu1'))
    const found = await contractor.foundations.discover({ type: 'Outlet', complex: 'pdu1' })
    expect(found.map(one => one.locator)).toEqual(['outlet-1', 'outlet-2', 'outlet-3'])
    await contractor.foundations.create({
      locator: 'm1',
      type: 'Outlet',
      site: 'lab',
      blueprint: 'outlet-base',
      complex: 'pdu1',
      fields: { outlet_list: [1, 2] },
    })
    await rig.finish(contractor.foundations.doCreate('m1'))
    await rig.finish(contractor.foundations.doJob('m1', 'power_cycle'))
    expect(await contractor.foundations.read('m1')).toMatchObject({ details: { power: 'on' } })
    const switched = await rig.run('pdu1', 'foundation.outlet_on( outlet=3 )')
    await rig.finish(Promise.resolve(switched))
    expect(await contractor.foundations.read('pdu1')).toMatchObject({
      details: { outlets: [{ state: 'on' }, { state: 'on' }, { state: 'on', name: 'outlet 3' }] },
    })
    await rig.finish(contractor.foundations.doDestroy('m1'))
    expect(await contractor.foundations.read('m1')).toMatchObject({ details: { power: 'off' } })
    // It takes the command, and stays as it is: the Job says what it reads meanwhile.
    change({ stuck: true })
    const job = await contractor.foundations.doCreate('m1')
    await vi.waitFor(async () => expect((await job.refresh()).state).toBe('done'), { timeout: 20_000 })
    const stuck = await contractor.foundations.doJob('m1', 'power_on')
    await vi.waitFor(async () => expect((await stuck.refresh()).message).toContain('Switching it on (last: off)'), {
      timeout: 20_000,
    })
    await stuck.cancel()
  })
})
