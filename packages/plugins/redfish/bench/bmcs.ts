import { startRedfish } from '../test/fake-redfish.ts'

/** As many BMCs as it is told, whose answers are faults as often as it is told; says where they are, and ends with its input. */
const [count = '1', faultRate = '0'] = process.argv.slice(2)
const bmcs = await Promise.all(Array.from({ length: Number(count) }, startRedfish))
for (const bmc of bmcs) bmc.faultRate = Number(faultRate)
const [first] = bmcs
process.stdout.write(
  `${JSON.stringify({
    ...{ ports: bmcs.map(one => one.port), fingerprint: first?.fingerprint },
    ...{ username: first?.username, password: first?.password },
  })}\n`,
)
process.stdin.on('end', () => process.exit(0)).resume()
