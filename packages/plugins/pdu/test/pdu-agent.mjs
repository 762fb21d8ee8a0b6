#!/usr/bin/env node
// What snmpd asks for the tree of a PDU (snmpd.conf(5), "pass_persist"). Its outlets are the file that it is given, as
// { "variables": { oid: [type, value] }, "stuck": bool }, which it reads anew for each question.
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const file = process.argv[2]
const read = () => JSON.parse(readFileSync(file, 'utf8'))
const inOrder = (one, other) => {
  const [left, right] = [one, other].map(oid => oid.split('.').map(Number))
  for (let at = 0; at < Math.max(left.length, right.length); at++)
    if (left[at] !== right[at]) return (left[at] ?? -1) - (right[at] ?? -1)
  return 0
}
const say = (...lines) => process.stdout.write(`${lines.join('\n')}\n`)
const asked = []
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'PING' && !asked.length) {
    say('PONG')
    continue
  }
  // After a value, snmpd writes an empty line.
  if (line === '' && !asked.length) continue
  asked.push(line)
  const [verb, given = ''] = asked
  if (asked.length < (verb === 'set' ? 3 : 2)) continue
  const oid = given.replace(/^\./, '')
  const { variables, stuck, switches } = read()
  if (verb === 'set') {
    const value = asked[2].replace(/^\S+ /, '').trim()
    const to = switches[`${oid} ${value}`]
    if (!variables[oid]) say('not-writable')
    else if (!to) say('wrong-value')
    else {
      if (!stuck) variables[to[0]][1] = to[1]
      writeFileSync(file, JSON.stringify({ variables, stuck, switches }))
      say('DONE')
    }
  } else {
    const all = Object.keys(variables).sort(inOrder)
    const found = verb === 'get' ? all.find(one => one === oid) : all.find(one => inOrder(one, oid) > 0)
    if (found) say(`.${found}`, variables[found][0], variables[found][1])
    else say('NONE')
  }
  asked.length = 0
}
