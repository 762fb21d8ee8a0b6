import { createHash } from 'node:crypto'
import type { JobRow } from '../../graph/target.ts'
import { signaling } from '../module/signaling.ts'

/**
 * Which wait of a script a machine's report is for. The answer to a report may be lost, and then the machine sends it
 * again: that must not be taken for the next wait, at which the machine has not arrived. So each wait of a Job has a
 * number, from 1, and each report is for one of them, once. A report says which it is
 *
 * - by the number of its wait, which is exact;
 * - by a text, any that the machine chooses: the first time that it is heard it is for the first wait without a report,
 *   after that it is the same report;
 * - by nothing, where a tool can only send one fixed URL. Then it is for the wait that is open, or the next one as long as
 *   none of its kind was heard. Between two waits it is a repetition: a Job that waits too long is seen, one that has gone
 *   on too early may destroy something. What it cannot tell is a repetition that comes after the next wait has opened.
 */
export interface CompletionReport {
  readonly wait?: number | undefined
  readonly text?: string | undefined
}

/** As many reports of one Job are kept in mind. */
export const mostReports = 1000

type Reported = Pick<JobRow, 'waitsAnswered' | 'signalledAt' | 'signals' | 'vm'>

/** The number of the wait that it is for, and the key under which it is known again; undefined for a repetition. */
export function placeReport(job: Reported, report: CompletionReport): { wait: number; key: string } | undefined {
  const next = job.waitsAnswered + 1
  const isReported = (wait: number) => hasReport(job, wait)
  if (report.wait !== undefined) {
    return report.wait < next || isReported(report.wait) ? undefined : { wait: report.wait, key: `#${report.wait}` }
  }
  const text = report.text?.trim() ?? ''
  if (text !== '') {
    const key = createHash('sha256').update(text).digest('hex').slice(0, 16)
    if (job.signals[key] !== undefined) return undefined
    let wait = next
    while (isReported(wait)) wait += 1
    return { wait, key }
  }
  const wasHeard = job.signals[''] !== undefined
  return isReported(next) || (wasHeard && !isOpen(job)) ? undefined : { wait: next, key: '' }
}

/** Whether the machine has reported for a wait that the script has not gone on from yet. */
export const hasReport = ({ waitsAnswered, signalledAt, signals }: Omit<Reported, 'vm'>, wait: number): boolean =>
  (wait === waitsAnswered + 1 && signalledAt !== null) ||
  (wait > waitsAnswered && Object.values(signals).includes(wait))

const isOpen = ({ vm }: Reported) => vm?.pending?.module === signaling.module
