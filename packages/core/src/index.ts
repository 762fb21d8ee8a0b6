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
export type { Identity } from './access/token/identity.ts'
export type { Tokens } from './access/token/tokens.ts'
export type { Dhcp } from './boot/dhcp/dhcp.ts'
export { hostQuery } from './boot/host/find-host.ts'
export type { Hosts } from './boot/host/hosts.ts'
export type { ConfigChanges } from './config/config-changes.ts'
export type { Secrets } from './config/secret/secrets.ts'
export type { Contractor, ContractorOptions } from './contractor.ts'
export { createContractor } from './contractor.ts'
export type { Clock } from './database/clock.ts'
export { databaseClock } from './database/clock.ts'
export type { Db } from './database/database.ts'
export type { DatabaseOption } from './database/open-database.ts'
export { blueprintInput } from './definition/blueprint/blueprint.ts'
export type { Blueprints } from './definition/blueprint/blueprints.ts'
export { hardwareTemplate } from './definition/blueprint/hardware-template.ts'
export type { Pxes } from './definition/pxe/pxes.ts'
export type { LoadOptions, Resources } from './definition/resource/resources.ts'
export type { Scripts } from './definition/script/scripts.ts'
export type { Dns, UpdatedZones, WrittenFiles } from './dns/publication/dns.ts'
export type { PublishedZone, PublishedZones } from './dns/publication/publish-zones.ts'
export type { TsigKey } from './dns/publication/tsig-key.ts'
export { parseKeyFile, parseKeyText } from './dns/publication/tsig-key.ts'
export type { UpdateOptions, ZoneUpdate } from './dns/publication/update-server.ts'
export type { FileChange, WriteOptions } from './dns/publication/write-zone-files.ts'
export type { ZoneEntries } from './dns/zone-entries.ts'
export type { RecordData, ZoneContent, ZoneRecord } from './dns/zone-record.ts'
export type { Zones } from './dns/zones.ts'
export type { CallOptions, Log } from './engine/engine.ts'
export type { Events } from './event/events.ts'
export { eventQuery } from './event/events.ts'
export type { Complexes, ComplexOf, NewComplex, PlainComplex } from './inventory/complex/complexes.ts'
export type { Dependencies, Dependency } from './inventory/dependency/dependencies.ts'
export type {
  Foundation,
  FoundationOf,
  Foundations,
  NewFoundation,
  StateOptions,
} from './inventory/foundation/foundations.ts'
export type { Difference } from './inventory/hardware/check-hardware.ts'
export { checkHardware } from './inventory/hardware/check-hardware.ts'
export type { Notes } from './inventory/note/notes.ts'
export type { Plots } from './inventory/plot/plots.ts'
export type { Site, Sites } from './inventory/site/sites.ts'
export type { Structure, Structures } from './inventory/structure/structures.ts'
export { toMachineView } from './inventory/survey/cartographer.ts'
export type { Cartographers, MachineOptions } from './inventory/survey/cartographers.ts'
export type { AddressBlocks } from './network/address-blocks.ts'
export type { Addresses } from './network/addresses.ts'
export type { InterfaceAddress, InterfaceEntry } from './network/interface-map.ts'
export type { Interfaces } from './network/interfaces.ts'
export type { Networks } from './network/networks.ts'
export type { Attachments } from './run/attachment/attachments.ts'
export type { Dispatch } from './run/dispatch/dispatch.ts'
export type { Foreman } from './run/foreman/foreman.ts'
export type { InquiryOptions } from './run/inquiry/inquire.ts'
export type { UpgradeCheck } from './run/job/check-upgrade.ts'
export { checkUpgrade } from './run/job/check-upgrade.ts'
export type { JobEvent } from './run/job/job.ts'
export type { Verb } from './run/job/job-verbs.ts'
export type { Job, Jobs, ResumeOptions } from './run/job/jobs.ts'
export type { WaitOptions } from './run/job/wait-completed.ts'
export type { CheckOptions, FileCheck, ResourceCheck, ScriptCheck } from './run/module/check-resources.ts'
export { checkResources } from './run/module/check-resources.ts'
export type { Services } from './run/service/services.ts'
export type { Signals } from './run/signal/signals.ts'
export { signalText, waitNumber } from './run/signal/signals.ts'
export type { AgentIdentity } from './run/task/agent-identity.ts'
