/** What Contractor's API is: its nouns, and what they are made of. Imports zod only. */

export type { Noun, NounKey } from './define-noun.ts'
export { defineNoun } from './define-noun.ts'
export type { Field, FieldRole, FieldSchemas, Fields } from './field.ts'
export { defineFields, field, fixed, listQuery, shown, stamps } from './field.ts'
export type { Called, Method, Methods } from './method.ts'
export { creates, createsMany, crud, deletes, gets, itemsOf, lists, method, puts, updates } from './method.ts'
export type { AddressChanges, AddressInput, AddressOwner, AddressView } from './nouns/address.ts'
export {
  addressChanges,
  addressChangesByKind,
  addressFields,
  addressInput,
  addressOwner,
  addressQuery,
  addressView,
  nextAddressesInput,
  nextAddressInput,
} from './nouns/address.ts'
export type { AddressBlockUsage, AddressBlockView } from './nouns/address-block.ts'
export {
  addressBlockChanges,
  addressBlockFields,
  addressBlockInput,
  addressBlockQuery,
  addressBlockUsage,
  addressBlockView,
} from './nouns/address-block.ts'
export type { AgentView } from './nouns/agent.ts'
export { agentView } from './nouns/agent.ts'
export type { AttachmentView } from './nouns/attachment.ts'
export { attachmentQuery, attachmentView } from './nouns/attachment.ts'
export type { Blueprint, BlueprintInput } from './nouns/blueprint.ts'
export { blueprintFields, blueprintInput, blueprintQuery, blueprintView } from './nouns/blueprint.ts'
export type { CartographerView, Evidence, EvidenceKind, MachineView, Omission } from './nouns/cartographer.ts'
export {
  assignment,
  cartographerFields,
  cartographerQuery,
  cartographerState,
  cartographerView,
  evidence,
  evidenceKinds,
  machineSource,
  machineView,
  omission,
} from './nouns/cartographer.ts'
export type { ComplexView } from './nouns/complex.ts'
export { complexChanges, complexFields, complexInput, complexQuery, complexView } from './nouns/complex.ts'
export type { ConfigChange, ConfigExplanation, ValueExplanation } from './nouns/config.ts'
export { configChangeQuery, configChangeView, configMethods, shownValues, valueExplanation } from './nouns/config.ts'
export type { DependencyView } from './nouns/dependency.ts'
export { dependencyFields, dependencyInput, dependencyQuery, dependencyView } from './nouns/dependency.ts'
export type { DhcpData, DhcpLease, DhcpPool, DhcpSubnet } from './nouns/dhcp.ts'
export { dhcpData, dhcpLease, dhcpPool, dhcpSubnet } from './nouns/dhcp.ts'
export type { Entry, EntryInput, EntryView } from './nouns/entry.ts'
export { entryChanges, entryInput, entryQuery, entryView } from './nouns/entry.ts'
export type { Event, EventType } from './nouns/event.ts'
export { eventTypes, eventView, subjectKind } from './nouns/event.ts'
export type { Candidate, FoundationInput, FoundationView, Reading } from './nouns/foundation.ts'
export {
  candidate,
  discoverInput,
  foundationChanges,
  foundationFields,
  foundationInput,
  foundationQuery,
  foundationView,
  reading,
} from './nouns/foundation.ts'
export type { Hardware } from './nouns/hardware.ts'
export { hardware } from './nouns/hardware.ts'
export type { DiskGroup, HardwareTemplate, PciGroup, PortGroup } from './nouns/hardware-template.ts'
export { hardwareTemplate } from './nouns/hardware-template.ts'
export type { InterfaceChanges, InterfaceInput, InterfaceView } from './nouns/interface.ts'
export {
  abstractInterface,
  aggregatedInterface,
  interfaceChanges,
  interfaceChangesByKind,
  interfaceFields,
  interfaceInput,
  interfaceQuery,
  interfaceView,
  realInterface,
} from './nouns/interface.ts'
export type { Explanation, JobView, Step } from './nouns/job.ts'
export {
  explanation,
  jobAnswer,
  jobFields,
  jobMessage,
  jobMethods,
  jobOrder,
  jobQuery,
  jobStates,
  jobView,
  orderMethods,
  stateMethod,
  stepView,
} from './nouns/job.ts'
export type { NetworkView } from './nouns/network.ts'
export {
  carriedBlock,
  lowestMtu,
  networkChanges,
  networkFields,
  networkInput,
  networkQuery,
  networkView,
} from './nouns/network.ts'
export type { NoteView } from './nouns/note.ts'
export type { PlotContent, PlotView } from './nouns/plot.ts'
export { plotChanges, plotContent, plotContentQuery, plotFields, plotInput, plotQuery, plotView } from './nouns/plot.ts'
export type { PluginView } from './nouns/plugin.ts'
export { pluginView } from './nouns/plugin.ts'
export type { Pxe, PxeInput } from './nouns/pxe.ts'
export { pxeFields, pxeInput, pxeQuery, pxeView } from './nouns/pxe.ts'
export type { NumberRequirement, SizeRequirement, TextRequirement } from './nouns/requirement.ts'
export { numberRequirement, sizeRequirement, textRequirement } from './nouns/requirement.ts'
export type { FieldChange, LoadResult, ResourceChange } from './nouns/resource.ts'
export { fieldChange, loadResult, resourceChange } from './nouns/resource.ts'
export type { Change } from './nouns/saved.ts'
export { change, saved } from './nouns/saved.ts'
export type { Script, ScriptInput } from './nouns/script.ts'
export { scriptFields, scriptInput, scriptQuery, scriptView } from './nouns/script.ts'
export type { SecretView } from './nouns/secret.ts'
export { secretFields, secretInput, secretQuery, secretView } from './nouns/secret.ts'
export type { ServiceView } from './nouns/service.ts'
export { serviceFields, serviceInput, serviceQuery, serviceView } from './nouns/service.ts'
export type { SiteView } from './nouns/site.ts'
export { siteChanges, siteFields, siteInput, siteQuery, siteView } from './nouns/site.ts'
export type { StructureConfig, StructureInput, StructureView } from './nouns/structure.ts'
export {
  structureChanges,
  structureConfig,
  structureConfigQuery,
  structureCountQuery,
  structureFields,
  structureInput,
  structureQuery,
  structureView,
} from './nouns/structure.ts'
export type { TokenView } from './nouns/token.ts'
export { tokenInput, tokenView } from './nouns/token.ts'
export type { ZoneView } from './nouns/zone.ts'
export { zoneChanges, zoneFields, zoneInput, zoneQuery, zoneView } from './nouns/zone.ts'
export { nouns } from './nouns.ts'
export type { Page } from './page.ts'
export { idPageRequest, pageOf, pageRequest } from './page.ts'
export type { Permission } from './permission.ts'
export { permissions } from './permission.ts'
export type { AnyContractorError, ContractorErrorOptions, ErrorCode, ErrorData, WireError } from './primitives/error.ts'
export {
  ContractorError,
  isContractorError,
  parseInput,
  taskFailed,
  toWireError,
  wireError,
} from './primitives/error.ts'
export type { Json } from './primitives/json.ts'
export { asJson, json, mendJson, reportedJson } from './primitives/json.ts'
export { findNear, nameUnknown } from './primitives/near-name.ts'
export type { SealedSecret } from './primitives/secret.ts'
export {
  holdsSecret,
  keepMasked,
  mapSecretPlaces,
  mapTexts,
  maskSecrets,
  maskText,
  replaceSecrets,
  secret,
  secretMask,
  writeSecret,
} from './primitives/secret.ts'
export { cutText, findUnstorable, isStorable, mendText } from './primitives/text.ts'
export {
  dataOwner,
  dataTarget,
  hostName,
  hostOwner,
  hostTarget,
  longestName,
  mailbox,
  zoneName,
} from './value/dns-name.ts'
export type { Ip, Subnet } from './value/ip.ts'
export {
  findIp,
  findSubnet,
  formatIp,
  formatSubnet,
  ipBytes,
  ipText,
  ipv4,
  ipv6,
  parseIp,
  subnetText,
} from './value/ip.ts'
export { lines, withLf, withLfWithin } from './value/line-ends.ts'
export { macText, whyNoMac } from './value/mac.ts'
export {
  configName,
  configValues,
  hostname,
  id,
  interfaceName,
  locator,
  machineIdentifier,
  ownFields,
  plainName,
  secretName,
} from './value/names.ts'
export type { ObjectKind } from './value/object-kind.ts'
export { objectKind } from './value/object-kind.ts'
export { seconds } from './value/seconds.ts'
export { findSizeBytes, size } from './value/size.ts'
