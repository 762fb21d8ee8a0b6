import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

/**
 * How long a program waits until it has a Contractor on `memory:`, as it is installed: built, in a process that has done
 * nothing before. `importMs` is what the import of the engine takes, `openMs` what createContractor does, `cpuMs` the processor
 * time of that; `againMs` is the next one in the same process. Medians of five processes.
 */
const rounds = 5

const program = `
  const began = performance.now()
  const { createContractor } = await import('@contractor/core')
  const imported = performance.now()
  const spent = process.cpuUsage()
  const first = await createContractor({ database: 'memory:' })
  const opened = performance.now()
  const { user, system } = process.cpuUsage(spent)
  const second = await createContractor({ database: 'memory:' })
  const again = performance.now()
  await first.close()
  await second.close()
  console.log(JSON.stringify({
    importMs: imported - began, openMs: opened - imported, cpuMs: (user + system) / 1000, againMs: again - opened,
  }))`

export const benchmarks = { 'core/open': measure }

async function measure() {
  const cwd = join(import.meta.dirname, '..')
  const measured: Record<string, number>[] = []
  for (let round = 0; round < rounds; round++) {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { cwd })
    measured.push(JSON.parse(stdout) as Record<string, number>)
  }
  const median = (name: string) => Math.round(measured.map(one => one[name] ?? 0).sort((a, b) => a - b)[2] ?? 0)
  return Object.fromEntries(Object.keys(measured[0] ?? {}).map(name => [name, median(name)]))
}
