#!/usr/bin/env node
// The command line of a switch, as sshd runs it for whoever logs in. Its configuration is the file that it is given; a line that it does
// not know it refuses with words, as real ones do, and goes on.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const file = process.argv[2]
const configuration = () => readFileSync(file, 'utf8').split('\n').filter(Boolean)
const write = lines => writeFileSync(file, `${lines.join('\n')}\n`)
const command = process.env.SSH_ORIGINAL_COMMAND
if (command !== undefined) {
  if (command === 'show running-config')
    process.stdout.write(
      configuration()
        .map(line => `${line}\r\n`)
        .join(''),
    )
  else {
    process.stdout.write(`syntax error, expecting <command>: ${command}\r\n`)
    process.exit(existsSync(`${file}.polite`) ? 0 : 1)
  }
  process.exit(0)
}
let isConfiguring = false
const known = /^(no )?(vlan \d+|interface \S+|description .+|shutdown|hostname \S+|switchport .+|exit)$/
for (const line of readFileSync(0, 'utf8')
  .split('\n')
  .map(one => one.trim())
  .filter(Boolean)) {
  process.stdout.write(`switch${isConfiguring ? '(config)' : ''}#${line}\r\n`)
  if (line === 'terminal length 0') continue
  if (line === 'configure terminal') isConfiguring = true
  else if (line === 'end') isConfiguring = false
  else if (line === 'exit' && !isConfiguring) process.exit(0)
  else if (line === 'write memory') writeFileSync(`${file}.saved`, readFileSync(file))
  else if (isConfiguring && known.test(line)) {
    if (line.startsWith('no ')) write(configuration().filter(one => one.trim() !== line.slice(3)))
    else if (line !== 'exit' && !configuration().some(one => one.trim() === line)) write([...configuration(), line])
  } else process.stdout.write("                 ^\r\n% Invalid input detected at '^' marker.\r\n")
}
