/**
 * When a Job may be made, and when it may start. Data, so that the table in the documentation, the code and the tests
 * are one thing.
 */
export type JobKind = 'create' | 'destroy' | 'utility'
export type TargetKind = 'foundation' | 'structure'

/** What the rules look at. */
export interface Facts {
  target: TargetKind
  job: JobKind
  /** The target's own state. */
  state: 'planned' | 'located' | 'built'
  /** The kind of the Job that the target has already. */
  present?: JobKind | undefined
  /** What the target stands on. */
  bases: readonly { name: string; built: boolean; job?: JobKind | undefined }[]
  /** What stands on the target. */
  heirs: readonly { name: string; planned: boolean; hasJob: boolean }[]
}

export interface Refusal {
  rule: string
  jobs: readonly JobKind[]
  /** Why the Job is refused, as the end of a sentence; undefined when it is not. */
  refuses(facts: Facts): string | undefined
}

const every: readonly JobKind[] = ['create', 'destroy', 'utility']

export const refusals: readonly Refusal[] = [
  {
    rule: 'one-job',
    jobs: every,
    refuses: ({ present }) => (present ? `it has a ${present} Job already` : undefined),
  },
  {
    rule: 'already-built',
    jobs: ['create'],
    refuses: ({ state }) => (state === 'built' ? 'it is built already' : undefined),
  },
  {
    rule: 'base-not-being-created',
    jobs: ['create'],
    refuses: ({ bases }) => {
      const base = bases.find(one => one.job !== undefined && one.job !== 'create')
      return base && `${base.name}, which it stands on, has a ${base.job} Job`
    },
  },
  {
    rule: 'not-built',
    jobs: ['destroy', 'utility'],
    refuses: ({ state }) => (state === 'built' ? undefined : `it is ${state} and not built`),
  },
  {
    rule: 'base-not-built',
    jobs: ['destroy'],
    refuses: ({ bases }) => {
      const base = bases.find(one => !one.built)
      return base && `${base.name}, which it stands on, is not built`
    },
  },
  {
    rule: 'base-not-being-destroyed',
    jobs: ['destroy'],
    refuses: ({ bases }) => {
      const base = bases.find(one => one.job !== undefined && one.job !== 'destroy')
      return base && `${base.name}, which it stands on, has a ${base.job} Job`
    },
  },
]

export interface Start {
  target: TargetKind
  jobs: readonly JobKind[]
  /** What the Job waits for before it may start; undefined when it may. */
  waitsFor(facts: Facts): string | undefined
}

export const starts: readonly Start[] = [
  {
    target: 'foundation',
    jobs: ['create'],
    waitsFor: ({ state }) => (state === 'located' ? undefined : 'Waiting to be located'),
  },
  {
    target: 'structure',
    jobs: ['create'],
    waitsFor: ({ bases }) => {
      const base = bases.find(one => !one.built)
      return base && `Waiting for ${base.name} to be built`
    },
  },
  {
    target: 'foundation',
    jobs: ['destroy'],
    waitsFor: ({ heirs }) => {
      const heir = heirs.find(one => !one.planned || one.hasJob)
      return heir && `Waiting for ${heir.name} to be destroyed`
    },
  },
]

/** The first rule that refuses a Job. */
export function findRefusal(facts: Facts): { rule: string; reason: string } | undefined {
  for (const { rule, jobs, refuses } of refusals) {
    const reason = jobs.includes(facts.job) ? refuses(facts) : undefined
    if (reason !== undefined) return { rule, reason }
  }
  return undefined
}

/** What a Job waits for before it may start; undefined when it may start now. */
export function findWait(facts: Facts): string | undefined {
  for (const { target, jobs, waitsFor } of starts) {
    const wait = target === facts.target && jobs.includes(facts.job) ? waitsFor(facts) : undefined
    if (wait !== undefined) return wait
  }
  return undefined
}

export function jobKind(action: string): JobKind {
  return action === 'create' || action === 'destroy' ? action : 'utility'
}
