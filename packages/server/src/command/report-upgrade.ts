import { checkUpgrade } from '@contractor/core'
import { loadPlugins } from './load-plugins.ts'

export interface CheckUpgradeOptions {
  database: string
  plugin: string[]
  json?: boolean
}

/** Prints what the check finds; the exit code: 0 when every live Job can go on, 1 when one cannot. */
export async function reportUpgrade({ database, plugin, json }: CheckUpgradeOptions): Promise<0 | 1> {
  const checks = await checkUpgrade(database, await loadPlugins(plugin))
  for (const check of checks) {
    const verdict = check.problems.length ? check.problems.map(problem => `\n  ${problem}`).join('') : ' can go on'
    const line = json
      ? JSON.stringify(check)
      : `Job ${check.job}, ${check.action} of ${check.target} (${check.state}):${verdict}`
    process.stdout.write(`${line}\n`)
  }
  const stuck = checks.filter(check => check.problems.length).length
  if (!json) process.stdout.write(`${checks.length} live Jobs, ${stuck} of which cannot go on\n`)
  return stuck ? 1 : 0
}
