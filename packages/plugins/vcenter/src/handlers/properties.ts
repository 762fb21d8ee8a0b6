import { isContractorError } from '@contractor/plugin'
import { type Ref, refOf, refXml, typed, type Vim } from './vim.ts'
import { at, elementOf, listOf, type Node, textOf, type XmlObject } from './xml.ts'

/** An object, with those of its properties that were asked for and that it has. */
export interface Read {
  readonly ref: Ref
  readonly values: Readonly<Record<string, Node>>
}

/** Lists come in pages: each names the next one. */
async function retrieve(vim: Vim, specSet: XmlObject): Promise<Read[]> {
  const collector = vim.root('propertyCollector')
  const found: Read[] = []
  let [page] = await vim.call('RetrievePropertiesEx', collector, { specSet, options: {} })
  while (page !== undefined) {
    for (const object of listOf(at(page, 'objects'))) {
      const ref = refOf(at(object, 'obj'))
      const values = listOf(at(object, 'propSet')).map(one => [textOf(at(one, 'name')), at(one, 'val') ?? ''] as const)
      if (ref) found.push({ ref, values: Object.fromEntries(values) })
    }
    const token = textOf(at(page, 'token'))
    if (!token) break
    ;[page] = await vim.call('ContinueRetrievePropertiesEx', collector, { token })
  }
  return found
}

/** Throws NOT_FOUND where there is none any more. */
export async function readObjects(vim: Vim, refs: readonly Ref[], paths: readonly string[]): Promise<Read[]> {
  const [first] = refs
  if (!first) return []
  const objectSet = refs.map(ref => ({ obj: refXml(ref) }))
  return retrieve(vim, { propSet: { type: first.type, pathSet: paths }, objectSet })
}

export async function readObject(vim: Vim, ref: Ref, paths: readonly string[]): Promise<Read['values']> {
  return (await readObjects(vim, [ref], paths))[0]?.values ?? {}
}

/** All of a type below a container. */
export async function listObjects(vim: Vim, container: Ref, type: string, paths: readonly string[]): Promise<Read[]> {
  const [node] = await vim.call('CreateContainerView', vim.root('viewManager'), {
    ...{ container: refXml(container), type, recursive: true },
  })
  const view = refOf(node)
  if (!view) return []
  try {
    return await retrieve(vim, {
      propSet: { type, pathSet: paths },
      objectSet: {
        ...{ obj: refXml(view), skip: true },
        selectSet: typed('TraversalSpec', { name: 'view', type: 'ContainerView', path: 'view', skip: false }),
      },
    })
  } finally {
    await vim.call('DestroyView', view).catch(error => {
      // The session ends soon, and the view with it.
      if (!isContractorError(error)) throw error
    })
  }
}

/** References in a property: a list has its own type around them. */
export const refsOf = (node: Node | undefined): Ref[] =>
  listOf(elementOf(node).ManagedObjectReference).flatMap(one => refOf(one) ?? [])

/** vSphere writes three characters of names as in a URL. */
export const nameOf = (values: Read['values']): string =>
  textOf(values.name).replace(/%(25|2f|5c)/gi, code => decodeURIComponent(code))
