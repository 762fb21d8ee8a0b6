import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { vi } from 'vitest'
import { freePort } from '../../../../test/embedded-postgres.ts'

/**
 * A BMC: ipmi_sim (Debian: openipmi) with a machine that is a file, behind a UDP relay that can be told to fail as networks and
 * BMCs do.
 */
export interface SimulatedBmc {
  /** The relay's; the way to the BMC. */
  readonly port: number
  readonly user: string
  readonly password: string
  /** Whether the machine is on; what it was told, in order. */
  isOn(): boolean
  setOn(on: boolean): void
  told(): string[]
  /** What it does with the next packets that come for the BMC; `silent` until it is told otherwise. */
  fault: 'none' | 'silent'
  /** How many packets were lost by that. */
  lost: number
  stop(): Promise<void>
}

const password = 'geheim-12'

export async function startBmc(): Promise<SimulatedBmc> {
  const folder = mkdtempSync(join(tmpdir(), 'bmc-'))
  const file = (name: string) => join(folder, name)
  const [inner, relayPort] = [await freePort(), await freePort()]
  writeFileSync(
    file('lan.conf'),
    `name "bmc"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 ${inner}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
  endlan
  chassis_control "${file('machine')}"
  user 1 true "" "" user 10 none md2 md5 straight
  user 2 true "admin" "${password}" admin 10 none md2 md5 straight
`,
  )
  writeFileSync(
    file('bmc.emu'),
    `mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
sel_add 0x20 0x02 0x00 0x00 0x00 0x00 0x20 0x00 0x04 0x01 0x30 0x01 0x09 0xff 0xff
mc_enable 0x20
`,
  )
  writeFileSync(
    file('machine'),
    `#!/bin/sh
[ "$1" = get ] || echo "$*" >> ${file('told')}
case "$1 $2" in
  'get power') echo "power:$(cat ${file('power')} 2>/dev/null || echo 0)" ;;
  'set power') echo "$3" > ${file('power')} ;;
  'set shutdown') echo 0 > ${file('power')} ;;
  'get boot') echo "boot:$(cat ${file('boot')} 2>/dev/null || echo none)" ;;
  'set boot') echo "$3" > ${file('boot')} ;;
esac
`,
  )
  chmodSync(file('machine'), 0o755)
  const simulator = spawn('ipmi_sim', ['-c', file('lan.conf'), '-f', file('bmc.emu'), '-s', folder, '-n'], {
    stdio: 'ignore',
  })
  const relay = createRelay(relayPort, inner, () => {
    if (bmc.fault === 'none') return false
    bmc.lost++
    return true
  })
  const bmc: SimulatedBmc = {
    ...{ port: relayPort, user: 'admin', password, fault: 'none', lost: 0 },
    isOn: () => existsSync(file('power')) && readFileSync(file('power'), 'utf8').trim() === '1',
    setOn: on => writeFileSync(file('power'), on ? '1' : '0'),
    told: () => (existsSync(file('told')) ? readFileSync(file('told'), 'utf8').trim().split('\n') : []),
    async stop() {
      relay.close()
      await end(simulator)
      rmSync(folder, { recursive: true, force: true })
    },
  }
  await vi.waitFor(() => ping(relayPort), { timeout: 10_000, interval: 100 })
  return bmc
}

function createRelay(port: number, inner: number, isLost: () => boolean) {
  const outside = createSocket('udp4')
  const sessions = new Map<string, Socket>()
  outside.on('message', (message, from) => {
    if (isLost()) return
    const key = `${from.address}:${from.port}`
    let session = sessions.get(key)
    if (!session) {
      session = createSocket('udp4')
      session.on('message', answer => void (isLost() || outside.send(answer, from.port, from.address)))
      sessions.set(key, session)
    }
    session.send(message, inner, '127.0.0.1')
  })
  outside.bind(port, '127.0.0.1')
  return {
    close() {
      outside.close()
      for (const session of sessions.values()) session.close()
    },
  }
}

/** An RMCP presence ping (ASF 2.0, section 3.2.4.2) that is answered. */
async function ping(port: number): Promise<void> {
  const socket = createSocket('udp4')
  try {
    const answered = new Promise<void>(resolve => socket.once('message', () => resolve()))
    socket.send(Buffer.from('0600ff06000011be80000000', 'hex'), port, '127.0.0.1')
    await Promise.race([answered, delay(500).then(() => Promise.reject(new Error('no answer')))])
  } finally {
    socket.close()
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const ended = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}
