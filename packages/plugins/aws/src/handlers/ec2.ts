import type * as Sdk from '@aws-sdk/client-ec2'
import { deviceError } from '@contractor/driver'
import { createBreaker } from '@contractor/driver/breaker'
import { until } from '@contractor/driver/until'
import type { HandlerContext } from '@contractor/plugin'
import type { Connection } from '../connection.ts'
import { toDeviceError } from './ec2-error.ts'

/** How long EC2 may take to answer one request, in milliseconds. */
const answerMs = 60_000
const breaker = createBreaker()

/** EC2 in one region. Errors are coded, with its own words. */
export interface Ec2 {
  readonly name: string
  readonly sdk: typeof Sdk
  region(): Promise<string>
  throwIfAborted(): void
  /** One request, and no other one if that fails. */
  ask<T>(call: (client: Sdk.EC2Client, options: { abortSignal: AbortSignal }) => Promise<T>): Promise<T>
  /** Looks until there is an answer, patient with what passes by itself; `what` is it that is waited for. */
  until<T>(what: string, mostMs: number, look: () => Promise<T | undefined>): Promise<T>
}

export interface Pace {
  /** From one look to the next, in milliseconds. */
  everyMs: number
}

/** Runs with a client that is closed whatever comes of it. The SDK is loaded as it is first needed: it takes a second. */
export async function withEc2<T>(
  connection: Connection,
  { signal, log }: Pick<HandlerContext, 'signal' | 'log'>,
  { everyMs }: Pace,
  work: (ec2: Ec2) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const name = `EC2 ${connection.endpoint ?? connection.region ?? 'of the agent’s region'}`
  const sdk = await import('@aws-sdk/client-ec2')
  const client = new sdk.EC2Client(optionsOf(name, connection))
  try {
    return await work({
      ...{ name, sdk },
      region: () => client.config.region(),
      throwIfAborted: () => signal.throwIfAborted(),
      ask: call => breaker.guard(name, () => ask(client, name, signal, log, call)),
      until: (what, mostMs, look) => until(what, { device: name, signal, everyMs, mostMs }, look),
    })
  } finally {
    client.destroy()
  }
}

function optionsOf(name: string, connection: Connection): Sdk.EC2ClientConfig {
  const { region, endpoint, access_key_id: id, secret_access_key: key, session_token: token } = connection
  if ((id === null) !== (key === null)) {
    const words = 'an access key is two fields, awsec2_access_key_id and awsec2_secret_access_key: give both, or none'
    throw deviceError('DEVICE_UNAUTHENTICATED', name, words)
  }
  return {
    // What is tried again is the Task: it waits longer than the SDK, which asks at once where there is no capacity.
    maxAttempts: 1,
    ...(region !== null && { region }),
    ...(endpoint !== null && { endpoint }),
    ...(id !== null &&
      key !== null && {
        credentials: { accessKeyId: id, secretAccessKey: key, ...(token !== null && { sessionToken: token }) },
      }),
  }
}

async function ask<T>(
  client: Sdk.EC2Client,
  name: string,
  signal: AbortSignal,
  log: HandlerContext['log'],
  call: Parameters<Ec2['ask']>[0],
): Promise<T> {
  const limit = AbortSignal.timeout(answerMs)
  const abortSignal = AbortSignal.any([signal, limit])
  try {
    try {
      return (await call(client, { abortSignal })) as T
    } catch (error) {
      // The SDK has learned from the answer what time it is there: signed anew, the request is a good one.
      if (!isClockCorrected(error)) throw error
      return (await call(client, { abortSignal })) as T
    }
  } catch (error) {
    signal.throwIfAborted()
    if (limit.aborted) throw deviceError('DEVICE_TIMED_OUT', name, `it has not answered within ${answerMs / 1000} s`)
    // Only who may decode it can read it; without the whole nobody can.
    if (error instanceof Error && /Encoded authorization/.test(error.message)) log(`${name}: ${error.message}`)
    throw toDeviceError(name, error)
  }
}

const isClockCorrected = (error: unknown): boolean =>
  (error as { $metadata?: { clockSkewCorrected?: boolean } } | undefined)?.$metadata?.clockSkewCorrected === true
