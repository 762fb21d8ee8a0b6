import { runCommand } from './cli/command.ts'

process.exitCode = await runCommand(process.argv.slice(2), {
  out: text => process.stdout.write(text),
  err: text => process.stderr.write(text),
  input: process.stdin,
  now: () => performance.timeOrigin / 1000 + performance.now() / 1000,
})
