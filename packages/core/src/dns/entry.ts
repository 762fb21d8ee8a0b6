import { ContractorError, type Entry, longestName } from '@contractor/contract'
import { absolute } from './dns-name.ts'

/** An entry with what it leads to as a full name, so that the same thing said in two ways is the same entry. */
export function placeEntry(given: Entry): Entry {
  const { zone, name } = given
  const refuse = (path: string, message: string) =>
    new ContractorError('VALIDATION_FAILED', `The entry of Zone '${zone}' is not valid: ${path}: ${message}`, {
      issues: [{ path, message }],
    })
  if (name === zone) throw refuse('name', `is within the zone: the zone itself is @`)
  if (name.endsWith(`.${zone}`))
    throw refuse('name', `is within the zone: say '${name.slice(0, -zone.length - 1)}' instead of '${name}'`)
  if (absolute(name, zone).length > longestName) throw refuse('name', `is too long with the zone's name behind it`)
  if (!('target' in given) || given.target === '.') return given
  const { target } = given
  const full = target === '@' || !target.includes('.') ? absolute(target, zone) : target
  return { ...given, target: full }
}
