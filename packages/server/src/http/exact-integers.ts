import { ContractorError } from '@contractor/core'
import type { MiddlewareHandler } from 'hono'

/** Refuses JSON whose integers JavaScript would round: what is kept is to be what was sent, or nothing. */
export const exactIntegers: MiddlewareHandler = async (c, next) => {
  if (c.req.header('Content-Type')?.includes('json')) {
    const path = findRounded(await c.req.text())
    if (path) {
      const issue = {
        path: path.join('.'),
        message: 'is an integer beyond 2^53, which cannot be kept exactly; send it as a text',
      }
      throw new ContractorError('VALIDATION_FAILED', `The request is not valid: ${issue.path}: ${issue.message}`, {
        issues: [issue],
      })
    }
  }
  await next()
}

/** The tokens of JSON (RFC 8259) by which a value's path is known; blanks, `true`, `false` and `null` are passed over. */
const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[[\]{},:]/gs

/**
 * Where the first integer is that a double does not hold exactly. What is no JSON has none: whoever parses it refuses it.
 * A text without so many digits in a row, which nearly all are, is not looked at further.
 */
export function findRounded(text: string): (string | number)[] | undefined {
  if (!/\d{16}/.test(text)) return undefined
  /** Of each list or map that is open, where in it the reading is. */
  const path: (string | number)[] = []
  let isKey = false
  for (const [found] of text.matchAll(token)) {
    const last = path.length - 1
    const at = path[last]
    if (found === '{' || found === '[') path.push(found === '{' ? '' : 0)
    else if (found === '}' || found === ']') path.pop()
    else if (found === ',' && typeof at === 'number') path[last] = at + 1
    else if (found[0] === '"' && isKey) path[last] = JSON.parse(found) as string
    else if (/^-?\d{16,}$/.test(found) && !Number.isSafeInteger(Number(found))) return path
    isKey = found === '{' || (found === ',' && typeof at === 'string')
  }
  return undefined
}
