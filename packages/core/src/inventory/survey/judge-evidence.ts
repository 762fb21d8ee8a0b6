import { type Evidence, type EvidenceKind, evidenceKinds } from '@contractor/contract'
import { sortEvidence } from './evidence.ts'

/** How a Foundation stands that a machine may be. */
export interface Standing {
  readonly state: 'planned' | 'located' | 'built'
  /** The identifier of the machine that it is matched with. */
  readonly claimedBy: string | null
}

export type Verdict =
  | { state: 'unmatched'; message: string }
  | { state: 'aside'; message: string }
  | { state: 'matched'; foundation: string; message: string }

/** As messages name what was shown. */
export const kindTitles: Readonly<Record<EvidenceKind, string>> = {
  configUuid: 'config UUID',
  lldp: 'LLDP neighbour',
  mac: 'MAC',
  serial: 'serial number or BMC',
  address: 'address',
}

/**
 * Which Foundation a machine is, by what speaks for each. Never a guess: it is put aside when what it shows contradicts
 * itself, be it within one kind or between two (cards or switches were changed over, or a number was copied; of the address
 * this counts for nothing, since Sites may have the same ones), when nothing of it tells one from another, when another
 * machine is matched with the best one, and when that is located or built already and the machine has no proof that it is
 * the one. What weighs nothing decides nothing. The order of the evidence does not matter.
 */
export function judgeEvidence(
  unsorted: readonly Evidence[],
  standings: ReadonlyMap<string, Standing>,
  identifier: string,
): Verdict {
  const all = sortEvidence(unsorted)
  if (!all.length) {
    return { state: 'unmatched', message: 'Nothing of what it reported is known. Assign it, or tell of one of them.' }
  }
  const telling = all.filter(one => one.weight > 0)
  if (!telling.length) return aside('Nothing of what it reported tells it from others', all)
  const ofItself = telling.filter(one => one.kind !== 'address')
  for (const kind of evidenceKinds) {
    const named = foundationsOf(ofItself.filter(one => one.kind === kind))
    if (named.length > 1) return aside(`Its ${kindTitles[kind]} speaks for several`, all)
  }
  const [first, second] = foundationsOf(ofItself)
  if (first !== undefined && second !== undefined) {
    const [one, other] = [first, second].map(locator => ofItself.find(it => it.foundation === locator)?.kind)
    return aside(`Its ${titleOf(one)} contradicts its ${titleOf(other)}`, all)
  }
  const scores = foundationsOf(all).map(locator => ({ locator, score: scoreOf(all, locator) }))
  const most = Math.max(...scores.map(one => one.score))
  const [best, rival] = scores.filter(one => one.score === most)
  if (!best || rival) return aside('Several Foundations have an equal score', all)

  const { locator } = best
  const standing = standings.get(locator)
  const claimedBy = standing?.claimedBy ?? null
  if (claimedBy !== null && claimedBy !== identifier)
    return aside(
      `It seems to be Foundation '${locator}', with which machine '${claimedBy}' is matched; release that`,
      all,
    )
  const isProven = all.some(one => one.kind === 'configUuid' && one.foundation === locator)
  if (standing && standing.state !== 'planned' && claimedBy === null && !isProven)
    return aside(`It seems to be Foundation '${locator}', which is ${standing.state} already`, all)
  return { state: 'matched', foundation: locator, message: describeMatch(all, locator) }
}

const titleOf = (kind: EvidenceKind | undefined) => (kind ? kindTitles[kind] : '')

/** Of a machine that is matched: what else it seems to be by now, if that is more likely. */
export function contraryTo(unsorted: readonly Evidence[], locator: string): string | undefined {
  const all = sortEvidence(unsorted)
  const own = scoreOf(all, locator)
  const others = foundationsOf(all).filter(other => other !== locator && scoreOf(all, other) > own)
  if (!others.length) return undefined
  const list = others.map(other => `Foundation '${other}' (${describeEvidence(all, other)})`).join(' and ')
  return `More speaks for ${list} by now: release it, if it was moved`
}

/** Why a machine is the Foundation that it is matched with. */
export function describeMatch(evidence: readonly Evidence[], locator: string): string {
  const shown = describeEvidence(sortEvidence(evidence), locator)
  return `It is Foundation '${locator}'${shown ? `, by ${shown}` : ''}`
}

const aside = (why: string, all: readonly Evidence[]): Verdict => {
  const list = foundationsOf(all).map(locator => `'${locator}' by ${describeEvidence(all, locator)}`)
  return { state: 'aside', message: `${why}: ${list.join(', ')}. Assign it to the one that it is.` }
}

/** Each kind counts once, however often it is there: many cards are not better than one neighbour. */
const scoreOf = (all: readonly Evidence[], locator: string) =>
  [...new Set(all.filter(one => one.foundation === locator).map(one => one.weight))].reduce((a, b) => a + b, 0)

const foundationsOf = (all: readonly Evidence[]) => [...new Set(all.map(one => one.foundation))]

function describeEvidence(all: readonly Evidence[], locator: string): string {
  const own = all.filter(one => one.foundation === locator)
  return own
    .map(({ kind, value, note }) => {
      const shown = kind === 'configUuid' ? kindTitles[kind] : `${kindTitles[kind]} ${value}`
      return note ? `${shown} (${note})` : shown
    })
    .join(' and ')
}
