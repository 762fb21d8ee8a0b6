import { runCommand } from './cli/command.ts'

// Whoever reads has heard enough (`tscript conformance | head`): that is no failure of ours.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  process.exit(0)
})

try {
  process.exitCode = await runCommand(process.argv.slice(2), {
    out: text => process.stdout.write(text),
    err: text => process.stderr.write(text),
    input: process.stdin,
    now: () => (performance.timeOrigin + performance.now()) / 1000,
  })
} catch (error) {
  process.stderr.write(`tscript: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
