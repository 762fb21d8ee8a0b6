import type { Page } from '@contractor/contract'

/** Every item of a list, page by page: `each(client.structures.list, { site: 'lab' })`. */
export async function* each<Query extends object, Item>(
  list: (query?: Query, ...rest: never[]) => Promise<Page<Item>>,
  query?: Query,
): AsyncGenerator<Item> {
  for (let after: string | undefined; ; ) {
    const page = await list({ ...query, ...(after !== undefined && { after }) } as Query)
    yield* page.items
    if (page.next === undefined) return
    after = page.next
  }
}
