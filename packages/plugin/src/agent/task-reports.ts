import { cutText, mendText } from '@contractor/contract/primitives'
import type { LogLine, TaskReport } from '../wire.ts'
import { mostLinesOfTask } from '../wire.ts'

/** What a running handler tells of itself, until the server has heard it. */
export interface TaskReports {
  /** Percent, cut to 0 … 100; the message stays until there is another one. */
  progress(percent: number, message?: string): void
  line(text: string): void
  /** What the server has not heard yet, or the first part of it; `told` is to be called once it has. */
  next(): { report: TaskReport; told(): void } | undefined
  /** All lines that it has not heard yet: to go with the answer. */
  rest(): LogLine[]
}

/** In one report, beside those of other Tasks. */
const mostLinesOfReport = 200
const longestLine = 2000
const longestMessage = 500

/** `now` in milliseconds since the epoch; `onNews` is called when there is something to tell. */
export function createTaskReports({ now, onNews }: { now(): number; onNews(): void }): TaskReports {
  const lines: LogLine[] = []
  let logged = 0
  let progress: number | undefined
  let message: string | undefined
  let isProgressTold = true

  return {
    progress(percent, told) {
      if (Number.isFinite(percent)) progress = Math.min(100, Math.max(0, percent))
      if (told !== undefined) message = cutText(mendText(String(told)), longestMessage)
      isProgressTold = false
      onNews()
    },
    line(text) {
      if (logged === mostLinesOfTask) return
      logged += 1
      const isLast = logged === mostLinesOfTask
      const kept = isLast ? '(what follows is not kept)' : cutText(mendText(String(text)), longestLine)
      lines.push({ place: logged, at: now(), text: kept })
      onNews()
    },
    rest: () => lines.splice(0),
    next() {
      if (isProgressTold && lines.length === 0) return undefined
      const part = lines.slice(0, mostLinesOfReport)
      const [sentProgress, sentMessage] = [progress, message]
      return {
        report: {
          ...(!isProgressTold && sentProgress !== undefined && { progress: sentProgress }),
          ...(!isProgressTold && sentMessage !== undefined && { message: sentMessage }),
          ...(part.length > 0 && { lines: part }),
        },
        told() {
          lines.splice(0, part.length)
          if (progress === sentProgress && message === sentMessage) isProgressTold = true
        },
      }
    },
  }
}
