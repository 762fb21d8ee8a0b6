/** Contractor's engine, as a library. What crosses a boundary is declared in the contract, and comes from here as well. */

export type {
  AddressBlockUsage,
  AddressBlockView,
  AddressView,
  AnyContractorError,
  AttachmentView,
  Blueprint,
  Candidate,
  CartographerView,
  Change,
  ComplexView,
  ConfigChange,
  ConfigExplanation,
  DependencyView,
  DhcpData,
  DhcpLease,
  DhcpPool,
  DhcpSubnet,
  Entry,
  EntryInput,
  EntryView,
  ErrorCode,
  ErrorData,
  Event,
  EventType,
  Evidence,
  Explanation,
  FieldChange,
  FoundationView,
  Hardware,
  HardwareTemplate,
  InterfaceView,
  JobView,
  LoadResult,
  MachineView,
  NetworkView,
  Omission,
  Page,
  PlotContent,
  PlotView,
  Pxe,
  Reading,
  ResourceChange,
  Script,
  SecretView,
  ServiceView,
  SiteView,
  Step,
  StructureConfig,
  StructureView,
  TokenView,
  ValueExplanation,
  ZoneView,
} from '@contractor/contract'
export {
  addressBlockChanges,
  addressBlockInput,
  addressBlockQuery,
  addressBlockUsage,
  addressBlockView,
  addressChanges,
  addressInput,
  addressQuery,
  addressView,
  assignment,
  attachmentQuery,
  attachmentView,
  blueprintView,
  ContractorError,
  cartographerQuery,
  cartographerView,
  complexChanges,
  complexInput,
  complexView,
  configChangeQuery,
  configChangeView,
  dependencyInput,
  dependencyQuery,
  dependencyView,
  dhcpData,
  dhcpLease,
  dhcpPool,
  dhcpSubnet,
  discoverInput,
  entryChanges,
  entryInput,
  entryQuery,
  entryView,
  eventView,
  explanation,
  foundationChanges,
  foundationInput,
  foundationQuery,
  foundationView,
  hardware,
  idPageRequest,
  interfaceChanges,
  interfaceInput,
  interfaceQuery,
  interfaceView,
  isContractorError,
  jobOrder,
  jobQuery,
  jobView,
  loadResult,
  machineView,
  nameUnknown,
  networkChanges,
  networkInput,
  networkQuery,
  networkView,
  nextAddressesInput,
  nextAddressInput,
  pageRequest,
  plotChanges,
  plotContent,
  plotContentQuery,
  plotInput,
  plotQuery,
  plotView,
  pxeInput,
  pxeView,
  scriptInput,
  scriptView,
  secretInput,
  secretView,
  serviceInput,
  serviceQuery,
  serviceView,
  siteChanges,
  siteInput,
  siteView,
  stepView,
  structureChanges,
  structureConfig,
  structureConfigQuery,
  structureCountQuery,
  structureInput,
  structureQuery,
  structureView,
  tokenInput,
  tokenView,
  valueExplanation,
  zoneChanges,
  zoneInput,
  zoneView,
} from '@contractor/contract'

export type { Attachments } from './attachment/attachments.ts'
export { blueprintInput } from './blueprint/blueprint.ts'
export type { Blueprints } from './blueprint/blueprints.ts'
export type { Clock } from './clock.ts'
export { databaseClock } from './clock.ts'
export type { Complexes, ComplexOf, NewComplex, PlainComplex } from './complex/complexes.ts'
export type { ConfigChanges } from './config/config-changes.ts'
export type { Contractor, ContractorOptions } from './contractor.ts'
export { createContractor } from './contractor.ts'
export type { Db } from './database/database.ts'
export type { DatabaseOption } from './database/open-database.ts'
export type { Dependencies, Dependency } from './dependency/dependencies.ts'
export type { Dhcp } from './dhcp/dhcp.ts'
export type { Dns, UpdatedZones, WrittenFiles } from './dns/dns.ts'
export type { PublishedZone, PublishedZones } from './dns/publish-zones.ts'
export type { TsigKey } from './dns/update/tsig-key.ts'
export { parseKeyFile, parseKeyText } from './dns/update/tsig-key.ts'
export type { UpdateOptions, ZoneUpdate } from './dns/update/update-server.ts'
export type { FileChange, WriteOptions } from './dns/write-zone-files.ts'
export type { ZoneEntries } from './dns/zone-entries.ts'
export type { RecordData, ZoneContent, ZoneRecord } from './dns/zone-record.ts'
export type { Zones } from './dns/zones.ts'
export type { CallOptions, Log } from './engine/engine.ts'
export type { Events } from './event/events.ts'
export { eventQuery } from './event/events.ts'
export type { Foreman } from './foreman/foreman.ts'
export type { Foundation, FoundationOf, Foundations, NewFoundation, StateOptions } from './foundation/foundations.ts'
export type { Difference } from './hardware/check-hardware.ts'
export { checkHardware } from './hardware/check-hardware.ts'
export { hardwareTemplate } from './hardware/template.ts'
export { hostQuery } from './host/find-host.ts'
export type { Hosts } from './host/hosts.ts'
export type { InquiryOptions } from './inquiry/inquire.ts'
export type { UpgradeCheck } from './job/check-upgrade.ts'
export { checkUpgrade } from './job/check-upgrade.ts'
export type { JobEvent } from './job/job.ts'
export type { Verb } from './job/job-verbs.ts'
export type { Job, Jobs } from './job/jobs.ts'
export type { WaitOptions } from './job/wait-completed.ts'
export type { AddressBlocks } from './network/address-blocks.ts'
export type { Addresses } from './network/addresses.ts'
export type { InterfaceAddress, InterfaceEntry } from './network/interface-map.ts'
export type { Interfaces } from './network/interfaces.ts'
export type { Networks } from './network/networks.ts'
export type { Plots } from './plot/plots.ts'
export type { Pxes } from './pxe/pxes.ts'
export type { LoadOptions, Resources } from './resource/resources.ts'
export type { Scripts } from './script/scripts.ts'
export type { Secrets } from './secret/secrets.ts'
export type { Services } from './service/services.ts'
export type { Signals } from './signal/signals.ts'
export { signalText, waitNumber } from './signal/signals.ts'
export type { Site, Sites } from './site/sites.ts'
export type { Structure, Structures } from './structure/structures.ts'
export { toMachineView } from './survey/cartographer.ts'
export type { Cartographers, MachineOptions } from './survey/cartographers.ts'
export type { AgentIdentity } from './task/agent-identity.ts'
export type { Dispatch } from './task/dispatch.ts'
export type { Identity, Tokens } from './token/tokens.ts'
