import {
  blueprintView,
  cartographerView,
  complexView,
  dependencyView,
  eventView,
  foundationView,
  jobView,
  loadResult,
  plotView,
  pxeView,
  scriptView,
  secretView,
  siteView,
  stepView,
  structureView,
  tokenView,
} from '@contractor/core'
import { z } from 'zod'

/**
 * What replies are made of, by the names that the OpenAPI document gives them: once, since
 * older versions of zod take no name twice.
 */
export const site = siteView.meta({ id: 'Site' })
export const blueprint = blueprintView.meta({ id: 'BluePrint' })
export const pxe = pxeView.meta({ id: 'PXE' })
export const script = scriptView.meta({ id: 'Script' })
export const foundation = foundationView.meta({ id: 'Foundation' })
export const structure = structureView.meta({ id: 'Structure' })
export const complex = complexView.meta({ id: 'Complex' })
export const cartographer = cartographerView.meta({ id: 'Cartographer' })
export const plot = plotView.meta({ id: 'Plot' })
export const dependency = dependencyView.meta({ id: 'Dependency' })
export const job = jobView.meta({ id: 'Job' })
export const step = stepView.meta({ id: 'Step' })
export const event = eventView.meta({ id: 'Event' })
export const secret = secretView.meta({ id: 'Secret' })
export const loaded = loadResult.meta({ id: 'LoadResult' })
export const token = tokenView.meta({ id: 'Token' })

/** What saving something did. */
export const saved = z.object({ change: z.enum(['created', 'changed', 'unchanged']) })
