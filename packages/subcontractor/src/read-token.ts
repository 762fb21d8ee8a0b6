import { readFileSync } from 'node:fs'
import { ContractorError } from '@contractor/plugin'

/**
 * The agent's token, from a file or from the environment variable CONTRACTOR_TOKEN. Never from the command line, which
 * every user of the machine can read. The variable is taken away, so that what handlers start does not inherit it.
 * Throws UNAUTHENTICATED when there is none.
 */
export function readToken(file: string | undefined, environment: NodeJS.ProcessEnv): string {
  const variable = environment.CONTRACTOR_TOKEN
  delete environment.CONTRACTOR_TOKEN
  let token: string | undefined
  if (file === undefined) token = variable?.trim()
  else {
    try {
      token = readFileSync(file, 'utf8').trim()
    } catch (error) {
      throw noToken(`Cannot read the token file ${file}: ${(error as Error).message}`)
    }
  }
  if (!token) {
    throw noToken(
      file === undefined
        ? 'No token: set the environment variable CONTRACTOR_TOKEN, or name a file with --token-file'
        : `The token file ${file} is empty`,
    )
  }
  if (!/^[\x21-\x7e]+$/.test(token))
    throw noToken('The token holds characters that no token has: is it the right file?')
  return token
}

function noToken(message: string): ContractorError {
  return new ContractorError('UNAUTHENTICATED', message, {})
}
