import { ContractorError } from '@contractor/contract'

/** The refusals that every noun has, said alike. */

type Key = string | number

/** `Site 'lab'`, `Structure 12`. */
export const named = (kind: string, id: Key): string => (typeof id === 'number' ? `${kind} ${id}` : `${kind} '${id}'`)

const article = (kind: string) => (/^[AEIO]/.test(kind) ? 'An' : 'A')

export const notFound = (kind: string, id: Key) =>
  new ContractorError('NOT_FOUND', `${named(kind, id)} does not exist`, { kind, id })

export const alreadyExists = (kind: string, id: Key) =>
  new ContractorError('ALREADY_EXISTS', `${article(kind)} ${named(kind, id)} exists already`, { kind, id })

/** `they` says what they do with it: one, or several. */
export const inUse = (kind: string, id: Key, by: string[], [one, several]: readonly [string, string]) =>
  new ContractorError(
    'IN_USE',
    `${named(kind, id)} cannot be deleted: ${by.join(', ')} ${by.length === 1 ? one : several}`,
    { kind, id, by },
  )

/** Refuses what is not of the version any more that the caller has read. */
export function checkVersion(kind: string, id: Key, version: number, wanted: number | undefined): void {
  if (wanted === undefined || wanted === version) return
  throw new ContractorError(
    'VERSION_MISMATCH',
    `${named(kind, id)} was changed by somebody else: it is at version ${version}, not ${wanted}. Read it again, and repeat the change.`,
    { kind, id, version, wanted },
  )
}
