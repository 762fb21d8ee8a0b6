import { pluginLaws } from '@contractor/plugin/testing'
import { describe, it } from 'vitest'
import { handlers } from '../src/handlers/index.js'
import { lamp } from '../src/index.js'

describe('the laws that every plugin keeps', () => {
  const laws = pluginLaws(lamp, handlers, {
    entry: new URL('../src/index.ts', import.meta.url),
    fields: { file: '/tmp/lamp' },
    // Answers of each Task, good and bad: those that a function needs to come to its end.
    replies: {
      look: [
        { exists: true, on: true },
        { exists: false, on: false },
      ],
      turn: [{ changed: true }, { changed: false }],
    },
    // Handlers that are called here with a signal that is aborted already.
    abortable: { look: { file: '/tmp/lamp' }, turn: { file: '/tmp/lamp', on: true } },
  })
  for (const law of laws) it(law.name, law.run)
})
