import { suggestName } from '../language/nearest.ts'
import type { Source } from '../source.ts'
import type { BlockOptions, Entry } from './ast.ts'

// A time that is written has two digits for its days, so no `max_time` is longer than some 103 days.
const OPTIONS = ['description', 'expected_time', 'max_time']

/** The options of `begin( … )`: constants of the right kind, each at most once. */
export function readBlockOptions(entries: readonly Entry[], source: Source): BlockOptions {
  const options: BlockOptions = {}
  const seen = new Set<string>()
  for (const { name, value, at } of entries) {
    if (!OPTIONS.includes(name)) {
      source.error(
        'option',
        at,
        `A block has no option \`${name}\``,
        suggestName(name, OPTIONS) ?? `Its options are ${OPTIONS.join(', ')}`,
      )
      continue
    }
    if (seen.has(name)) source.error('option', at, `The option \`${name}\` is given twice`)
    seen.add(name)
    const constant = value.kind === 'constant' ? value.value : null
    if (name === 'description') {
      if (typeof constant === 'string') options.description = constant
      else
        source.error(
          'option',
          value.at,
          'The description of a block is a text',
          "For example description='Wipe the disks'",
        )
    } else if (isTimeConstant(constant))
      options[name === 'max_time' ? 'maxSeconds' : 'expectedSeconds'] = constant.$time
    else source.error('option', value.at, `\`${name}\` is a time`, `For example ${name}=5:00, five minutes`)
  }
  return options
}

function isTimeConstant(value: unknown): value is { $time: number } {
  return typeof value === 'object' && value !== null && '$time' in value
}
