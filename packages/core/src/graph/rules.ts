/**
 * When a Job may be made, and when it may start. Data, so that the table in the documentation, the code and the tests
 * are one thing.
 */
export type JobKind = 'create' | 'destroy' | 'utility'
export type TargetKind = 'foundation' | 'structure' | 'dependency'

/** What a target stands on or depends on. */
export interface Base {
  name: string
  built: boolean
  job?: JobKind | undefined
}

/** What stands on a target or depends on it. */
export interface Dependant {
  name: string
  planned: boolean
  hasJob: boolean
}

/** What the rules look at. */
export interface Facts {
  target: TargetKind
  job: JobKind
  /** The target's own state. */
  state: 'planned' | 'located' | 'built'
  /** The kind of the Job that the target has already. */
  present?: JobKind | undefined
  bases: readonly Base[]
  dependants: readonly Dependant[]
  /** Of a Foundation that a Complex provides: whether that is built, and then locates it. */
  provided?: { by: string; built: boolean } | undefined
}

export interface Refusal {
  rule: string
  jobs: readonly JobKind[]
  targets: readonly TargetKind[]
  /** Why the Job is refused, as the end of a sentence; undefined when it is not. */
  refuses(facts: Facts): string | undefined
}

const everyJob: readonly JobKind[] = ['create', 'destroy', 'utility']
const everyTarget: readonly TargetKind[] = ['foundation', 'structure', 'dependency']

export const refusals: readonly Refusal[] = [
  {
    rule: 'no-utility',
    jobs: ['utility'],
    targets: ['dependency'],
    refuses: () => 'a Dependency has create and destroy Jobs only',
  },
  {
    rule: 'one-job',
    jobs: everyJob,
    targets: everyTarget,
    refuses: ({ present }) => (present ? `it has a ${present} Job already` : undefined),
  },
  {
    rule: 'already-built',
    jobs: ['create'],
    targets: everyTarget,
    refuses: ({ state }) => (state === 'built' ? 'it is built already' : undefined),
  },
  {
    rule: 'base-not-being-created',
    jobs: ['create'],
    targets: everyTarget,
    refuses: ({ bases }) => {
      const base = bases.find(one => one.job !== undefined && one.job !== 'create')
      return base && `${base.name}, which it needs, has a ${base.job} Job`
    },
  },
  {
    rule: 'not-built',
    jobs: ['destroy', 'utility'],
    targets: everyTarget,
    refuses: ({ state }) => (state === 'built' ? undefined : `it is ${state} and not built`),
  },
  {
    rule: 'base-not-built',
    jobs: ['destroy'],
    targets: everyTarget,
    refuses: ({ bases }) => {
      const base = bases.find(one => !one.built)
      return base && `${base.name}, which it needs, is not built`
    },
  },
  {
    rule: 'base-not-being-destroyed',
    jobs: ['destroy'],
    targets: everyTarget,
    refuses: ({ bases }) => {
      const base = bases.find(one => one.job !== undefined && one.job !== 'destroy')
      return base && `${base.name}, which it needs, has a ${base.job} Job`
    },
  },
]

export interface Start {
  targets: readonly TargetKind[]
  jobs: readonly JobKind[]
  /** What the Job waits for before it may start; undefined when it may. */
  waitsFor(facts: Facts): string | undefined
}

export const starts: readonly Start[] = [
  {
    targets: everyTarget,
    jobs: ['create'],
    waitsFor: ({ bases }) => {
      const base = bases.find(one => !one.built)
      return base && `Waiting for ${base.name} to be built`
    },
  },
  {
    targets: ['foundation'],
    jobs: ['create'],
    // What a built Complex provides is located by the Foreman as it starts.
    waitsFor: ({ state, provided }) => (state === 'located' || provided?.built ? undefined : 'Waiting to be located'),
  },
  {
    targets: everyTarget,
    jobs: ['destroy'],
    waitsFor: ({ dependants }) => {
      const dependant = dependants.find(one => !one.planned || one.hasJob)
      return dependant && `Waiting for ${dependant.name} to be destroyed`
    },
  },
]

/** The first rule that refuses a Job. */
export function findRefusal(facts: Facts): { rule: string; reason: string } | undefined {
  for (const { rule, jobs, targets, refuses } of refusals) {
    const applies = jobs.includes(facts.job) && targets.includes(facts.target)
    const reason = applies ? refuses(facts) : undefined
    if (reason !== undefined) return { rule, reason }
  }
  return undefined
}

/** What a Job waits for before it may start; undefined when it may start now. */
export function findWait(facts: Facts): string | undefined {
  for (const { targets, jobs, waitsFor } of starts) {
    const wait = targets.includes(facts.target) && jobs.includes(facts.job) ? waitsFor(facts) : undefined
    if (wait !== undefined) return wait
  }
  return undefined
}

export function jobKind(action: string): JobKind {
  return action === 'create' || action === 'destroy' ? action : 'utility'
}
