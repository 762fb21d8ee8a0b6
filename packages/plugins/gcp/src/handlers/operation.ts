import { type Compute, codeError, type Resource } from './compute.ts'

/** Where machines are, and which one is meant. */
export interface Place {
  project: string
  zone: string
  name: string
}

export const pathOf = ({ project, zone, name }: Place): string => `${project}/zones/${zone}/instances/${name}`

/** A failure that is hidden in an operation, whose own answer was 200. */
export function operationError(compute: Compute, operation: Resource): Error | undefined {
  const { error, httpErrorStatusCode: status, httpErrorMessage: brief } = operation
  const { errors = [] } = (error ?? {}) as { errors?: { code?: string; message?: string }[] }
  const [first] = errors
  if (!first && (typeof status !== 'number' || status < 400)) return undefined
  const said = errors.map(one => `${one.message ?? ''} (${one.code ?? 'no code'})`).join('; ') || String(brief)
  // The status alone says nothing that the code does not say better: of a full zone it is 503.
  const details = first ? {} : { status: typeof status === 'number' ? status : 400 }
  return codeError(compute.name, first?.code ?? '', `operation ${operation.name} has failed: ${said}`, details)
}

/** Waits until it is over, and throws its failure. False for one that is not known there: what it was for tells how it went. */
export async function awaitOperation(
  compute: Compute,
  { project, zone }: Place,
  begun: Resource,
  mostMs: number,
): Promise<boolean> {
  const path = `${project}/zones/${zone}/operations/${begun.name}`
  const ended = await compute.until(`Waiting for operation ${begun.name}`, mostMs, async () => {
    const seen = begun.status === 'DONE' ? begun : await compute.find(path)
    if (!seen) return 'unknown' as const
    return seen.status === 'DONE' ? seen : undefined
  })
  if (ended === 'unknown') return false
  const failure = operationError(compute, ended)
  if (failure) throw failure
  return true
}
