import { describe, expect, it } from 'vitest'
import { type Facts, findRefusal, findWait, type JobKind, type TargetKind } from '../src/job/rules.ts'

const targets: TargetKind[] = ['foundation', 'structure']
const kinds: JobKind[] = ['create', 'destroy', 'utility']

/** A target in the state in which a Job of this kind is in order, with nothing around it in the way. */
function inOrder(target: TargetKind, job: JobKind): Facts {
  return {
    target,
    job,
    state: job === 'create' ? 'planned' : 'built',
    bases: target === 'structure' ? [{ name: 'base', built: true }] : [],
    heirs: [],
  }
}

describe.each(targets)('a Job for a %s', target => {
  describe.each(kinds)('of kind %s', job => {
    it('is made when nothing is in the way', () => {
      expect(findRefusal(inOrder(target, job))).toBeUndefined()
    })

    it.each(kinds)('is refused while the target has a %s Job', present => {
      expect(findRefusal({ ...inOrder(target, job), present })).toEqual({
        rule: 'one-job',
        reason: `it has a ${present} Job already`,
      })
    })

    it.each(['planned', 'located', 'built'] as const)('looks at a target that is %s', state => {
      const rule = findRefusal({ ...inOrder(target, job), state })?.rule
      if (job === 'create') expect(rule).toBe(state === 'built' ? 'already-built' : undefined)
      else expect(rule).toBe(state === 'built' ? undefined : 'not-built')
    })

    it.each(kinds)('looks at a %s Job of what the target stands on', baseJob => {
      const rule = findRefusal({ ...inOrder(target, job), bases: [{ name: 'base', built: true, job: baseJob }] })?.rule
      if (job === 'create') expect(rule).toBe(baseJob === 'create' ? undefined : 'base-not-being-created')
      if (job === 'destroy') expect(rule).toBe(baseJob === 'destroy' ? undefined : 'base-not-being-destroyed')
      if (job === 'utility') expect(rule).toBeUndefined()
    })

    it('looks at whether what the target stands on is built', () => {
      const rule = findRefusal({ ...inOrder(target, job), bases: [{ name: 'base', built: false }] })?.rule
      expect(rule).toBe(job === 'destroy' ? 'base-not-built' : undefined)
    })
  })
})

describe('a Job starts', () => {
  it('to create a Foundation when that is located', () => {
    expect(findWait(inOrder('foundation', 'create'))).toBe('Waiting to be located')
    expect(findWait({ ...inOrder('foundation', 'create'), state: 'located' })).toBeUndefined()
  })

  it('to create a Structure when its Foundation is built', () => {
    const facts = inOrder('structure', 'create')
    expect(findWait({ ...facts, bases: [{ name: "Foundation 'f'", built: false }] })).toBe(
      "Waiting for Foundation 'f' to be built",
    )
    expect(findWait(facts)).toBeUndefined()
  })

  it.each([
    [false, false, 'waits'],
    [false, true, 'waits'],
    [true, true, 'waits'],
    [true, false, 'starts'],
  ])('to destroy a Foundation whose Structure is planned (%s) and has a Job (%s): %s', (planned, hasJob, then) => {
    const wait = findWait({ ...inOrder('foundation', 'destroy'), heirs: [{ name: "Structure 's'", planned, hasJob }] })
    expect(wait).toBe(then === 'waits' ? "Waiting for Structure 's' to be destroyed" : undefined)
  })

  it.each([
    ['structure', 'destroy'],
    ['foundation', 'utility'],
    ['structure', 'utility'],
  ] as const)('at once for a %s to %s', (target, job) => {
    expect(findWait(inOrder(target, job))).toBeUndefined()
  })
})
