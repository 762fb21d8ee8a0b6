import { z } from 'zod'

/** What has objects that others may be about: the names of their nouns. */
export const objectKind = z.enum([
  ...(['Site', 'BluePrint', 'Script', 'PXE', 'Foundation', 'Structure', 'Complex', 'Dependency', 'Job'] as const),
  ...(['Cartographer', 'Plot', 'AddressBlock', 'Network', 'Interface', 'Address', 'Zone', 'Entry', 'Service'] as const),
])
export type ObjectKind = z.output<typeof objectKind>
