import type { Filter } from './filter.ts'
import { htmlFilters } from './filters-html.ts'
import { listFilters } from './filters-list.ts'
import { numberFilters } from './filters-number.ts'
import { selectFilters } from './filters-select.ts'
import { textFilters } from './filters-text.ts'

/** Those of Jinja2. */
export const filters: Readonly<Record<string, Filter>> = {
  ...textFilters,
  ...numberFilters,
  ...listFilters,
  ...selectFilters,
  ...htmlFilters,
}
