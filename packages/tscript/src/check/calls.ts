import { BUILTIN_NAMES, findBuiltin } from '../language/builtins.ts'
import { findNearest, suggestName } from '../language/nearest.ts'
import type { Source } from '../source.ts'
import type { Call, Entry, Member } from '../syntax/ast.ts'
import type { HostNames } from './host-names.ts'
import type { Uses } from './uses.ts'

/** Functions, their parameters, and the values of modules: what is not there is found when a script is saved. */
export function checkCalls(uses: Uses, source: Source, names: HostNames | undefined): void {
  for (const call of uses.calls) {
    if (source.full) return
    if (call.module === undefined) checkBuiltin(call, source, names)
    else if (names) checkHostCall(call, call.module, source, names)
  }
  for (const entries of uses.maps) checkMap(entries, source)
  if (!names) return
  for (const member of uses.memberReads) checkMember(member, false, source, names)
  for (const member of uses.memberWrites) checkMember(member, true, source, names)
}

interface Parameter {
  name: string
  required: boolean
}

function checkParameters(
  call: Call,
  called: string,
  known: readonly Parameter[],
  source: Source,
  ignoresOthers = false,
): void {
  const names = known.map(parameter => parameter.name)
  const given = new Set<string>()
  for (const { name, at } of call.parameters) {
    if (given.has(name)) source.error('parameter', at, `The parameter \`${name}\` of \`${called}\` is given twice`)
    given.add(name)
    if (names.includes(name)) continue
    const all = names.length === 0 ? 'It has no parameters' : `Its parameters are ${names.join(', ')}`
    const message = `\`${called}\` has no parameter \`${name}\``
    const hint = suggestName(name, names) ?? all
    if (ignoresOthers) {
      source.warn('parameter', at, `${message}: it is passed over`, hint)
      continue
    }
    source.error('parameter', at, message, hint)
    // What is only misspelt is not missing as well.
    given.add(findNearest(name, names) ?? name)
  }
  const missing = known.filter(({ name, required }) => required && !given.has(name)).map(({ name }) => `\`${name}\``)
  if (missing.length === 0) return
  const list = `${missing.length > 1 ? 'parameters' : 'parameter'} ${missing.join(' and ')}`
  source.error('parameter', call.at, `\`${called}\` needs the ${list}`)
}

function checkBuiltin(call: Call, source: Source, names: HostNames | undefined): void {
  const builtin = findBuiltin(call.name)
  if (builtin) {
    const known = builtin.parameters.map(parameter => ({
      name: parameter.name,
      required: parameter.default === undefined,
    }))
    checkParameters(call, call.name, known, source)
    return
  }
  const elsewhere = Object.entries(names ?? {}).find(
    ([, module]) => module.functions && Object.hasOwn(module.functions, call.name),
  )
  const hint = elsewhere
    ? `Did you mean \`${elsewhere[0]}.${call.name}\`?`
    : suggestName(call.name, [...BUILTIN_NAMES, 'begin', 'exists'])
  source.error(
    'function',
    call.at,
    `There is no function \`${call.name}\``,
    hint ?? 'Functions of the host are called with their module: module.name( )',
  )
}

function checkHostCall(call: Call, moduleName: string, source: Source, names: HostNames): void {
  const called = `${moduleName}.${call.name}`
  const module = findModule(moduleName, call, called, source, names)
  if (!module) return
  const found = module.functions && Object.hasOwn(module.functions, call.name) ? module.functions[call.name] : undefined
  if (found) {
    const known = Object.entries(found.parameters).map(([name, { required }]) => ({ name, required }))
    checkParameters(call, called, known, source, found.ignoresOthers)
  } else if (module.values && Object.hasOwn(module.values, call.name)) {
    source.error('function', call.at, `\`${called}\` is a value and not a function`, 'Write it without brackets')
  } else if (!module.open) {
    const nearest = findNearest(call.name, Object.keys(module.functions ?? {}))
    source.error(
      'function',
      call.at,
      `The module \`${moduleName}\` has no function \`${call.name}\``,
      nearest && `Did you mean \`${moduleName}.${nearest}\`?`,
    )
  }
}

function checkMember(member: Member, write: boolean, source: Source, names: HostNames): void {
  const called = `${member.module}.${member.name}`
  const module = findModule(member.module, member, called, source, names)
  if (!module) return
  const value = module.values && Object.hasOwn(module.values, member.name) ? module.values[member.name] : undefined
  if (value) {
    if (write && !value.writable) source.error('value', member.at, `\`${called}\` cannot be set`)
  } else if (module.functions && Object.hasOwn(module.functions, member.name)) {
    source.error('value', member.at, `\`${called}\` is a function and not a value`, `Call it: ${called}( )`)
  } else if (!module.open) {
    const nearest = findNearest(member.name, Object.keys(module.values ?? {}))
    source.error(
      'value',
      member.at,
      `The module \`${member.module}\` has no value \`${member.name}\``,
      nearest && `Did you mean \`${member.module}.${nearest}\`?`,
    )
  }
}

function findModule(
  name: string,
  { at }: Call | Member,
  called: string,
  source: Source,
  names: HostNames,
): HostNames[string] | undefined {
  if (Object.hasOwn(names, name)) return names[name]
  const nearest = findNearest(name, Object.keys(names))
  const hint = nearest && `Did you mean \`${called.replace(name, nearest)}\`?`
  source.error('module', at, `There is no module \`${name}\``, hint)
  return undefined
}

function checkMap(entries: readonly Entry[], source: Source): void {
  const seen = new Set<string>()
  for (const { name, at } of entries) {
    if (seen.has(name)) source.warn('map', at, `The key \`${name}\` is given twice; the last value counts`)
    seen.add(name)
  }
}
