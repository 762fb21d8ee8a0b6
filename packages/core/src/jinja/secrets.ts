import { holdsSecret } from '@contractor/contract'
import { fail } from './failure.ts'
import { isText, textOf, type Value } from './values.ts'

/**
 * A secret in a template is a text that stands for it. It may be carried along whole: printed, joined with other texts,
 * kept in lists and maps, and asked for. Nothing may look into it or change it: it would get what stands for the secret,
 * and the machine in the end something that is neither.
 */
export function refuseSecret(value: Value | undefined, what: string): void {
  if (value !== undefined && isSecret(value))
    fail(
      `a secret cannot go through ${what}: a template may print it, join it with other texts and keep it in lists and maps, but neither read nor change it; store the secret in the form in which it is needed`,
    )
}

export const isSecret = (value: Value): boolean => isText(value) && holdsSecret(textOf(value))
