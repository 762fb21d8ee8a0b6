import {
  blueprintView,
  complexView,
  dependencyView,
  eventView,
  foundationView,
  jobView,
  scriptView,
  siteView,
  stepView,
  structureView,
  tokenView,
} from '@contractor/core'

/** What replies are made of, by the names that the OpenAPI document gives them. */
export const site = siteView.meta({ id: 'Site' })
export const blueprint = blueprintView.meta({ id: 'BluePrint' })
export const script = scriptView.meta({ id: 'Script' })
export const foundation = foundationView.meta({ id: 'Foundation' })
export const structure = structureView.meta({ id: 'Structure' })
export const complex = complexView.meta({ id: 'Complex' })
export const dependency = dependencyView.meta({ id: 'Dependency' })
export const job = jobView.meta({ id: 'Job' })
export const step = stepView.meta({ id: 'Step' })
export const event = eventView.meta({ id: 'Event' })
export const token = tokenView.meta({ id: 'Token' })
