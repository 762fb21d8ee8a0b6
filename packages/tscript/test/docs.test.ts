import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  compile,
  createState,
  format,
  formatDiagnostic,
  type Host,
  type HostNames,
  type Json,
  maskSecrets,
  run,
} from '../src/index.ts'
import { createStillHost } from './playing-host.ts'

/*
 * Every example of the pages is run. What it comes to stands behind `tscript` on its first line (`done` where nothing
 * stands there), and its variables in a `json` block that follows it.
 */

interface Example {
  name: string
  script: string
  outcome: string
  variables: Json | undefined
  findings: string | undefined
}

function readExamples(page: string): Example[] {
  const text = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), 'utf8')
  const found = text.matchAll(/^( *)```tscript *([a-z]*)\n([\s\S]*?)^ *```\n(?:\s*```(json|text)\n([\s\S]*?)^```\n)?/gm)
  return [...found].map(([, indent = '', outcome, body = '', kind, result = '']) => {
    const script = body.replaceAll(new RegExp(`^${indent}`, 'gm'), '')
    return {
      name: `${page}: ${script.split('\n')[0]}`,
      script,
      outcome: outcome || 'done',
      variables: kind === 'json' ? (JSON.parse(result) as Json) : undefined,
      findings: kind === 'text' ? result.trimEnd() : undefined,
    }
  })
}

const names: HostNames = {
  foundation: {
    values: { locator: {}, type: {}, power: { writable: true } },
    functions: { power_on: { parameters: {} }, power_off: { parameters: {} }, wait_for_poweroff: { parameters: {} } },
  },
  structure: { values: { primary_interface: {}, password: {} } },
  config: { open: true },
  iputils: {
    functions: {
      wait_for_port: { parameters: { target: { required: true }, port: { required: true } } },
      ping: { parameters: { target: { required: true } } },
    },
  },
}
const values: { [name: string]: Json } = {
  'foundation.locator': 'host-7',
  'foundation.type': 'IPMI',
  'foundation.power': 'off',
  'structure.primary_interface': { $ref: 'eth0' },
  'structure.password': { $secret: 'ref' },
  'config.datastores': ['fast', 'slow'],
}

function createHost(): Host {
  const kept = { ...values }
  return createStillHost(undefined, {
    get: (module, name) =>
      Object.hasOwn(kept, `${module}.${name}`)
        ? { value: kept[`${module}.${name}`] as Json }
        : { error: `no ${module}.${name}`, missing: true },
    set: (module, name, value) => {
      kept[`${module}.${name}`] = value
      return { ok: true }
    },
    call: call => (call.function === 'ping' ? { kind: 'value', value: 12.5 } : { kind: 'value', value: null }),
    joinSecret: () => ({ $secret: 'joined' }),
  })
}

const examples = ['tscript.md', 'tscript-differences.md'].flatMap(readExamples)

describe('the examples of the pages', () => {
  test('there are many', () => expect(examples.length).toBeGreaterThan(30))

  test.each(examples)('$name', ({ script, outcome, variables, findings }) => {
    const compiled = compile(script, { names })
    if (outcome === 'rejected') {
      expect(compiled.ok).toBe(false)
      if (findings !== undefined)
        expect(compiled.diagnostics.map(found => formatDiagnostic(found)).join('\n')).toBe(findings)
      return
    }
    if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message)
    const state = run(compiled.program, createState(compiled.program), createHost(), { steps: 10_000 })
    expect(state.stop?.kind, JSON.stringify(state.stop)).toBe(outcome)
    if (variables !== undefined) expect(maskSecrets(state.variables)).toEqual(variables)
    expect(format(script)).toMatchObject({ ok: true })
  })
})
