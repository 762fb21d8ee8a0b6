#!/usr/bin/env node
// What snmpd asks for the tree of a switch (snmpd.conf(5), "pass_persist"; and "pass" for the status of VLANs, since rows can be made
// only so). The tree is the file that it is given, as
// { "variables": { oid: [type, value] }, "deaf": bool }, read anew for each question. As a real switch it refuses what is not
// writable, values of another type, and VLANs that are in use; rows of VLANs are made and removed by their status.
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const file = process.argv[2]
const read = () => JSON.parse(readFileSync(file, 'utf8'))
const numbers = oid => oid.split('.').map(Number)
const inOrder = (one, other) => {
  const [left, right] = [numbers(one), numbers(other)]
  for (let at = 0; at < Math.max(left.length, right.length); at++)
    if (left[at] !== right[at]) return (left[at] ?? -1) - (right[at] ?? -1)
  return 0
}
const say = (...lines) => process.stdout.write(`${lines.join('\n')}\n`)

const vlans = '1.3.6.1.2.1.17.7.1.4.3.1'
const writable = ['1.3.6.1.2.1.2.2.1.7.', '1.3.6.1.2.1.31.1.1.1.18.', `${vlans}.`, '1.3.6.1.2.1.17.7.1.4.5.1.1.']

function set(tree, oid, type, value) {
  const { variables, deaf } = tree
  if (!writable.some(prefix => oid.startsWith(prefix))) return 'not-writable'
  const isText = type === 'string' || type === 'octet'
  const [, column, row] = new RegExp(`^${vlans.replaceAll('.', '\\.')}\\.(\\d+)\\.(\\d+)$`).exec(oid) ?? []
  if (column === '5') {
    if (type !== 'integer') return 'wrong-type'
    const isIn = Boolean(variables[oid])
    if (value === '4' && !isIn) {
      variables[`${vlans}.1.${row}`] = ['string', `VLAN${row}`]
      for (const bitmap of ['2', '4']) variables[`${vlans}.${bitmap}.${row}`] = ['octet', '00']
      variables[oid] = ['integer', '1']
    } else if (value === '6' && isIn) {
      if (/[^0 ]/.test(variables[`${vlans}.2.${row}`][1])) return 'inconsistent-value'
      if (!deaf) for (const one of ['1', '2', '4', '5']) delete variables[`${vlans}.${one}.${row}`]
    } else return 'inconsistent-value'
    return 'DONE'
  }
  const before = variables[oid]
  if (!before) return 'not-writable'
  if ((before[0] === 'integer' || before[0] === 'gauge') === isText) return 'wrong-type'
  if (column === '4' || column === '2') {
    // RFC 4363: a port without tags in a VLAN is one that is in it.
    const bytes = text =>
      text
        .trim()
        .split(/\s+/)
        .filter(Boolean)
        .map(byte => Number.parseInt(byte, 16))
    const hex =
      type === 'octet' ? value : [...value].map(one => one.charCodeAt(0).toString(16).padStart(2, '0')).join(' ')
    const other = bytes(variables[`${vlans}.${column === '4' ? '2' : '4'}.${row}`][1])
    const own = bytes(hex)
    const [egress, untagged] = column === '4' ? [other, own] : [own, other]
    if (untagged.some((byte, at) => byte & ~(egress[at] ?? 0))) return 'inconsistent-value'
    if (!deaf) variables[oid] = ['octet', hex]
    return 'DONE'
  }
  if (!deaf) variables[oid] = [before[0], value]
  return 'DONE'
}

function answer(verb, oid) {
  const { variables } = read()
  const all = Object.keys(variables).sort(inOrder)
  const found = verb === 'get' ? all.find(one => one === oid) : all.find(one => inOrder(one, oid) > 0)
  return found && [`.${found}`, variables[found][0], variables[found][1]]
}

function change(oid, type, value) {
  const tree = read()
  const said = set(tree, oid, type, value.replace(/^"([\s\S]*)"$/, '$1'))
  if (said === 'DONE') writeFileSync(file, JSON.stringify(tree))
  return said
}

if (process.argv[3] === '-s') {
  const [oid, type, value] = process.argv.slice(4)
  const said = change(oid.slice(1), type, value)
  if (said !== 'DONE') say(said)
  process.exit(0)
}

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
  if (verb === 'set') {
    const [, kind, text] = /^(\S+) (.*)$/.exec(asked[2]) ?? []
    say(change(oid, kind, text))
  } else say(...(answer(verb, oid) ?? ['NONE']))
  asked.length = 0
}
